// HTTPConnection: a plain HTTP/1.1 client over one socket, so that tests see exactly what is sent and answered.
import Foundation
import Glibc

/// One answer.
struct HTTPAnswer {
    let status: Int
    /// Names in lower case.
    let headers: [String: String]
    let body: String
}

/// One kept-alive connection to 127.0.0.1.
final class HTTPConnection {
    private let port: UInt16
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []

    /// Longer than any request timeout of the tests.
    private static let timeoutSeconds = 60

    init(port: UInt16) { self.port = port }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Sends a GET and reads the whole answer; a connection that the server closed between requests is opened anew.
    func get(_ host: String, _ path: String = "/", headers: [String: String] = [:]) throws -> HTTPAnswer {
        let isReused = descriptor >= 0
        do {
            return try exchange(host, path, headers)
        } catch  where isReused {
            disconnect()
            return try exchange(host, path, headers)
        }
    }

    private func exchange(_ host: String, _ path: String, _ headers: [String: String]) throws -> HTTPAnswer {
        if descriptor < 0 { try connect() }
        var text = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        try send(Array((text + "\r\n").utf8))
        let head = try readHead()
        let answer = try readBody(of: head)
        if answer.headers["connection"]?.lowercased() == "close" { disconnect() }
        return answer
    }

    private func connect() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw failure("connect") }
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        buffer = []
    }

    private func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw failure("send") }
            rest = rest.dropFirst(count)
        }
    }

    private func receive() throws {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { throw failure("receive") }
        buffer += chunk[..<count]
    }

    private func readHead() throws -> [String] {
        while true {
            if let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) {
                let text = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeSubrange(..<end.upperBound)
                return text.components(separatedBy: "\r\n")
            }
            try receive()
        }
    }

    private func readBody(of head: [String]) throws -> HTTPAnswer {
        let status = head.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            return HTTPAnswer(status: status, headers: headers, body: try readChunks())
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < length { try receive() }
        let body = String(decoding: buffer[..<length], as: UTF8.self)
        buffer.removeFirst(length)
        return HTTPAnswer(status: status, headers: headers, body: body)
    }

    private func readChunks() throws -> String {
        var body: [UInt8] = []
        while true {
            let size = try readLine()
            guard let count = Int(size.prefix { $0 != ";" }, radix: 16) else { throw failure("chunk size \(size)") }
            while buffer.count < count + 2 { try receive() }
            body += buffer[..<count]
            buffer.removeFirst(count + 2)
            if count == 0 { return String(decoding: body, as: UTF8.self) }
        }
    }

    private func readLine() throws -> String {
        while true {
            if let end = buffer.firstRange(of: Array("\r\n".utf8)) {
                let line = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
                buffer.removeSubrange(..<end.upperBound)
                return line
            }
            try receive()
        }
    }

    private func failure(_ what: String) -> HTTPFailure {
        HTTPFailure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}

/// A connection that broke.
struct HTTPFailure: Error, CustomStringConvertible {
    let description: String
}
