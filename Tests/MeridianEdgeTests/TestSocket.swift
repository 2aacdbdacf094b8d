// TestSocket: blocking sockets with a time limit, and an HTTP reader that is independent of the edge's.
import Glibc

/// A failure of a test's own socket.
struct SocketFailure: Error, CustomStringConvertible {
    let description: String
}

/// A response as a client saw it.
struct TestResponse {
    let status: Int
    /// In order of arrival, names in lower case.
    let fields: [(name: String, value: String)]
    var body: [UInt8] = []
    /// The raw bytes behind the last chunk.
    var trailers = ""

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A connected blocking socket.
///
/// Reads and writes fail after ten seconds, so that a broken edge fails a test instead of hanging it.
final class TestSocket: @unchecked Sendable {
    // @unchecked: each test hands a socket from thread to thread, never uses it on two at once.
    let descriptor: Int32
    private var buffer: [UInt8] = []
    private var isClosed = false

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    convenience init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw SocketFailure(description: "connect: errno \(errno)") }
        self.init(descriptor: descriptor)
    }

    deinit { close() }

    func close() {
        if !isClosed { _ = Glibc.close(descriptor) }
        isClosed = true
    }

    func shutWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes { raw in
                Glibc.send(descriptor, raw.baseAddress.map { $0 + offset }, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw SocketFailure(description: "send: errno \(errno)") }
            offset += sent
        }
    }

    /// More bytes; empty at the end of the stream.
    func receive(_ count: Int = 65536) throws -> [UInt8] {
        if !buffer.isEmpty {
            let taken = Array(buffer.prefix(count))
            buffer.removeFirst(taken.count)
            return taken
        }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = recv(descriptor, &bytes, count, 0)
        guard got >= 0 else { throw SocketFailure(description: "receive: errno \(errno)") }
        return Array(bytes.prefix(got))
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try receive(min(count - bytes.count, 1 << 18))
            guard !more.isEmpty else {
                throw SocketFailure(description: "ended after \(bytes.count) of \(count) bytes")
            }
            bytes += more
        }
        return bytes
    }

    /// Everything up to the end; a reset counts as the end.
    func receiveAll() -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try? receive(), !more.isEmpty { bytes += more }
        return bytes
    }

    /// Text up to and including `end`; nil where the stream ends before.
    func receive(until end: String) throws -> String? {
        let mark = Array(end.utf8)
        var bytes: [UInt8] = []
        while bytes.count < mark.count || Array(bytes.suffix(mark.count)) != mark {
            let more = try receive(1024)
            if more.isEmpty { return nil }
            for (index, byte) in more.enumerated() {
                bytes.append(byte)
                if bytes.count >= mark.count, bytes.suffix(mark.count).elementsEqual(mark) {
                    buffer.insert(contentsOf: more[(index + 1)...], at: 0)
                    break
                }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The head of a message as lines; nil at the end of the stream.
    func receiveHead() throws -> [String]? {
        guard let text = try receive(until: "\r\n\r\n") else { return nil }
        // CR LF is one Character.
        return text.dropLast(2).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// A whole response.
    ///
    /// `toHead` tells that the request was HEAD.
    func receiveResponse(toHead: Bool = false) throws -> TestResponse {
        guard let lines = try receiveHead() else { throw SocketFailure(description: "ended before a response") }
        let first = lines[0].split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0] == "HTTP/1.1", let status = Int(first[1]) else {
            throw SocketFailure(description: "not a status line: \(lines[0])")
        }
        let fields = parseFields(lines.dropFirst())
        var response = TestResponse(status: status, fields: fields)
        if toHead || status < 200 || status == 204 || status == 304 { return response }
        if response.field("transfer-encoding") == "chunked" {
            (response.body, response.trailers) = try receiveChunks()
        } else if let length = response.field("content-length").flatMap({ Int($0) }) {
            response.body = try receive(exactly: length)
        } else {
            response.body = receiveAll()
        }
        return response
    }

    func receiveChunks() throws -> ([UInt8], String) {
        var body: [UInt8] = []
        while let line = try receive(until: "\r\n") {
            let size = Int(line.prefix(while: \.isHexDigit), radix: 16) ?? -1
            guard size >= 0 else { throw SocketFailure(description: "not a chunk size: \(line)") }
            if size == 0 {
                var trailers = ""
                while let trailer = try receive(until: "\r\n"), trailer != "\r\n" { trailers += trailer }
                return (body, trailers)
            }
            body += try receive(exactly: size)
            _ = try receive(exactly: 2)
        }
        throw SocketFailure(description: "ended within chunks")
    }
}

/// Names in lower case and values of field lines.
func parseFields(_ lines: some Sequence<String>) -> [(name: String, value: String)] {
    lines.map { line in
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        let value = line[colon...].dropFirst().drop { $0 == " " }
        return (line[..<colon].lowercased(), String(value))
    }
}
