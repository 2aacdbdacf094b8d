// main.swift: a web server in Swift without dependencies: a few threads that accept and answer.
//
// What every app on Meridian does: listen on 0.0.0.0 at $PORT, and end when SIGTERM comes.
import Glibc

/// Each thread serves one connection at a time; more connections wait in the listener's queue.
let threadCount = 8

let port = UInt16(variable("PORT", default: "8080")) ?? 8080
let greeting = variable("GREETING", default: "Hello")

// A disconnected client makes write(2) fail instead of ending the program.
signal(SIGPIPE, SIG_IGN)
// The requests in progress are a few milliseconds long, so the program may end at once.
signal(SIGTERM) { _ in _exit(0) }

guard let listener = listen(on: port) else {
    perror("hello-swift: cannot listen on port \(port)")
    exit(1)
}
print("hello-swift listens on 0.0.0.0:\(port)")
fflush(stdout)

for _ in 1..<threadCount {
    var thread = pthread_t()
    pthread_create(&thread, nil, { _ in acceptForever(listener, greeting) }, nil)
}
acceptForever(listener, greeting)

/// A variable of the environment.
func variable(_ name: String, default fallback: String) -> String {
    guard let value = getenv(name), value.pointee != 0 else { return fallback }
    return String(cString: value)
}

/// A listening socket on every address of the sandbox: 127.0.0.1 would not be reachable from outside of it.
func listen(on port: UInt16) -> Int32? {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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
    return isBound && Glibc.listen(listener, 256) == 0 ? listener : nil
}

/// Accepts connections and answers one request on each.
func acceptForever(_ listener: Int32, _ greeting: String) -> Never {
    while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { continue }
        // A client that sends nothing must not hold a thread for long.
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        if let request = readHead(connection) {
            let response = Array(answer(to: request, greeting).utf8)
            _ = write(connection, response, response.count)
        }
        close(connection)
    }
}

/// The request up to the empty line; nil when the client hangs up first or sends too much.
func readHead(_ connection: Int32) -> String? {
    var head: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while head.count < 16_384 {
        let count = read(connection, &buffer, buffer.count)
        guard count > 0 else { return nil }
        head += buffer[..<count]
        let text = String(decoding: head, as: UTF8.self)
        if text.hasSuffix("\r\n\r\n") { return text }
    }
    return nil
}

/// The whole response to a request.
func answer(to request: String, _ greeting: String) -> String {
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
