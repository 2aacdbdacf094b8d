// Server.swift: a few threads that accept connections and answer one request on each.
import Glibc

final class Server: Sendable {
    /// Each thread serves one connection at a time; more connections wait in the listener's queue.
    private static let threadCount = 8
    /// A request's head beyond this is not read.
    private static let headLengthMax = 16_384

    private let listener: Int32
    private let greeting: String

    /// Listens on every address of the sandbox: 127.0.0.1 would not be reachable from outside of it.
    init?(port: UInt16, greeting: String) {
        self.greeting = greeting
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_ANY
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound, listen(listener, 256) == 0 else { return nil }
    }

    /// Serves for ever.
    func run() -> Never {
        for _ in 1..<Self.threadCount {
            var thread = pthread_t()
            // The server lives as long as the program, so the thread may have it without owning it.
            let context = Unmanaged.passUnretained(self).toOpaque()
            pthread_create(
                &thread,
                nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Server>.fromOpaque(context).takeUnretainedValue().acceptForever()
                },
                context
            )
        }
        acceptForever()
    }

    private func acceptForever() -> Never {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            // A client that sends nothing must not hold a thread for long.
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            if let request = readHead(connection) {
                let response = Array(answer(to: request).utf8)
                _ = write(connection, response, response.count)
            }
            close(connection)
        }
    }

    /// The request up to the empty line; nil when the client hangs up first or sends too much.
    private func readHead(_ connection: Int32) -> String? {
        var head: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while head.count < Self.headLengthMax {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            head += buffer[..<count]
            let text = String(decoding: head, as: UTF8.self)
            if text.hasSuffix("\r\n\r\n") { return text }
        }
        return nil
    }

    /// The whole response to a request.
    private func answer(to request: String) -> String {
        let (status, body) =
            if request.hasPrefix("GET / ") {
                ("200 OK", "\(greeting) from hello-swift\n")
            } else if request.hasPrefix("GET /healthz ") {
                ("200 OK", "ok\n")
            } else {
                ("404 Not Found", "hello-swift has / and /healthz\n")
            }
        return "HTTP/1.1 \(status)\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Connection: close\r\n\r\n\(body)"
    }
}
