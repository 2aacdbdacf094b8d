// TestClient: one HTTP request on a connection of its own, with the answer as text.
import Dispatch
import Glibc

/// What an edge answered.
struct TestAnswer: Sendable {
    let status: Int
    /// Head and body.
    let text: String

    /// How the request found its runner: `hot`, `warm` or `cold`.
    var temperature: String? {
        text.lowercased().split(whereSeparator: \.isNewline).first { $0.hasPrefix("x-meridian-temperature:") }
            .map { $0.dropFirst("x-meridian-temperature:".count).trimmed }
    }

    var body: String { text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }
}

/// GET / of a host; nil where the connection failed or ended early.
func get(_ port: UInt16, host: String = "web.localhost") async -> TestAnswer? {
    await withCheckedContinuation { continuation in
        DispatchQueue(label: "client").async { continuation.resume(returning: blockingGet(port, host)) }
    }
}

private func blockingGet(_ port: UInt16, _ host: String) -> TestAnswer? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    let request = "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
    guard isConnected, request.withCString({ send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }) > 0
    else { return nil }
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { break }
        received += chunk[..<count]
    }
    let text = String(decoding: received, as: UTF8.self)
    guard let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
    return TestAnswer(status: status, text: text)
}

extension Substring {
    fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
