// Asking: one HTTP request over a socket, and the waiting for a server that has just been started.
import CLinux
import Glibc

/// The monotonic clock in nanoseconds.
func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

enum Asking {
    /// A server that does not answer within this has failed to start.
    private static let secondsMax: Int64 = 10
    /// How long to wait between tries to connect, as the node does.
    private static let pauseMicroseconds: UInt32 = 100

    /// Connects to 127.0.0.1 by sockets that `make` gives until one is accepted, asks, and returns at the 200.
    static func untilAnswered(_ port: UInt16, make: () -> Int32?) throws(BenchError) {
        let deadline = nanoseconds() + secondsMax * 1_000_000_000
        while nanoseconds() < deadline {
            if let socket = make() {
                defer { close(socket) }
                let isUnderWay = clinux_connect_loopback(socket, port) == 0 || errno == EINPROGRESS
                if isUnderWay, waitFor(socket, POLLOUT), clinux_connected(socket) > 0 { return try ask(socket) }
            }
            usleep(pauseMicroseconds)
        }
        throw BenchError("no server on port \(port) within \(secondsMax) s")
    }

    /// Sends a request over a socket that is connected or being connected; returns at the 200.
    static func ask(_ socket: Int32, host: String = "localhost") throws(BenchError) {
        let request = Array("GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
        guard waitFor(socket, POLLOUT), send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count,
            waitFor(socket, POLLIN)
        else { throw BenchError("the request could not be sent") }
        var answer = [UInt8](repeating: 0, count: 1024)
        let count = recv(socket, &answer, answer.count, 0)
        let line = String(decoding: answer.prefix(max(0, count)), as: UTF8.self)
        guard line.hasPrefix("HTTP/1.1 200") else { throw BenchError("answered: \(line.prefix(200))") }
    }

    /// A non-blocking socket of the own network.
    static func ownSocket() -> Int32? {
        let made = clinux_stream_socket(AF_INET)
        return made < 0 ? nil : made
    }

    private static func waitFor(_ socket: Int32, _ events: Int32) -> Bool {
        var ready = pollfd(fd: socket, events: Int16(events), revents: 0)
        return poll(&ready, 1, Int32(secondsMax) * 1000) > 0
    }
}

struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
