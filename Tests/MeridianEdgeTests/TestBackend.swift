// TestBackend: a small threaded server that stands for an app's runner.
import Glibc
import Synchronization

/// A request as the backend saw it.
struct TestRequest: Sendable {
    let method: String
    let target: String
    let fields: [(name: String, value: String)]
    let body: [UInt8]

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    func count(_ name: String) -> Int { fields.count { $0.name == name } }
}

/// Listens on a port of its own and gives every connection a thread with a handler.
final class TestBackend: Sendable {
    typealias Handler = @Sendable (TestSocket) throws -> Void

    let port: UInt16
    private let listener: Int32
    private let accepted = Mutex(0)

    var connectionCount: Int { accepted.withLock { $0 } }

    init(_ handler: @escaping Handler) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) + listen(listener, 512) + getsockname(listener, pointer, &length)
            }
        }
        guard result == 0 else { throw SocketFailure(description: "listen: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        onThread { [self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else {
                    // Closed here only: the number must not become another listener's while this thread uses it.
                    close(listener)
                    return
                }
                accepted.withLock { $0 += 1 }
                let connection = TestSocket(descriptor: descriptor)
                onThread {
                    // A handler that throws has lost its connection, which is what the edge then sees.
                    try? handler(connection)
                    connection.close()
                }
            }
        }
    }

    /// A backend that answers each request on a kept connection.
    convenience init(answering answer: @escaping @Sendable (TestRequest) -> String) throws {
        try self.init { connection in
            while let request = try receiveRequest(connection) { try connection.send(answer(request)) }
        }
    }

    /// New connections are refused from now on; open ones go on.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}

/// A whole request; nil at the end of the connection.
func receiveRequest(_ connection: TestSocket) throws -> TestRequest? {
    guard let lines = try connection.receiveHead() else { return nil }
    let parts = lines[0].split(separator: " ")
    let fields = parseFields(lines.dropFirst())
    var body: [UInt8] = []
    if fields.contains(where: { $0.name == "transfer-encoding" }) {
        body = try connection.receiveChunks().0
    } else if let length = fields.first(where: { $0.name == "content-length" }).flatMap({ Int($0.value) }) {
        body = try connection.receive(exactly: length)
    }
    return TestRequest(method: String(parts[0]), target: String(parts[1]), fields: fields, body: body)
}

/// A 200 with a body and further field lines, each ending in CR LF.
func ok(_ body: String, _ fields: String = "") -> String {
    "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}

/// Runs `body` on a thread of its own, since it blocks.
func onThread(_ body: @escaping @Sendable () -> Void) {
    final class Carrier: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let result = pthread_create(
        &thread,
        nil,
        { argument in
            if let argument { Unmanaged<Carrier>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        },
        Unmanaged.passRetained(Carrier(body)).toOpaque()
    )
    precondition(result == 0, "a test cannot start a thread")
    pthread_detach(thread)
}

/// Runs `body` on a thread of its own and gives its result.
func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        onThread { continuation.resume(with: Result { try body() }) }
    }
}
