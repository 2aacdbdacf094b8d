// TestProgram: a small HTTP server in this process that stands for an app's program.
import Dispatch
import Glibc
import Synchronization

/// Answers every request with 200 and its name, on connections that stay open.
final class TestProgram: Sendable {
    let name: String
    let port: UInt16
    private let listener: Int32
    private let serviceTime: UInt32
    private let state = Mutex((connections: Set<Int32>(), busy: 0, isStopped: false))
    /// Requests that were being answered when the program was stopped.
    let cut = Mutex(0)

    /// A program on a port of its own; an answer takes `serviceTime` microseconds.
    init?(name: String, serviceTime: UInt32) {
        self.name = name
        self.serviceTime = serviceTime
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0, let port = Self.listen(on: listener) else { return nil }
        self.port = port
        DispatchQueue(label: "accept \(name)").async { self.acceptAll() }
    }

    /// Ends like a process: the listener and all connections are gone.
    func stop() {
        let (connections, busy, wasStopped) = state.withLock { state in
            defer { state.isStopped = true }
            return (state.connections, state.busy, state.isStopped)
        }
        guard !wasStopped else { return }
        cut.withLock { $0 += busy }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private static func listen(on descriptor: Int32) -> UInt16? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && Glibc.listen(descriptor, 128) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func acceptAll() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            let isWelcome = state.withLock { state in
                if !state.isStopped { state.connections.insert(connection) }
                return !state.isStopped
            }
            guard isWelcome else {
                close(connection)
                break
            }
            DispatchQueue(label: "serve \(name)").async { self.serve(connection) }
        }
        close(listener)
    }

    private func serve(_ connection: Int32) {
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            received += chunk[..<count]
            while let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                received.removeSubrange(..<end.upperBound)
                state.withLock { $0.busy += 1 }
                usleep(serviceTime)
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(name.utf8.count)\r\n\r\n\(name)"
                // Before it is sent: whoever has the answer may stop the program before this thread goes on. What is
                // cut in between is seen by the client.
                state.withLock { $0.busy -= 1 }
                _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            }
        }
        _ = state.withLock { $0.connections.remove(connection) }
        close(connection)
    }
}
