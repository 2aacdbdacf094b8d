// RequestText: the fields of an HTTP/2 request, collected and written as an HTTP/1.1 head (RFC 9113 §8.3).

/// A request's head under construction.
///
/// nghttp2 has checked the rules of RFC 9113; the text is read again by the loop's strict parser, which refuses what
/// HTTP/1.1 does not allow.
struct RequestText {
    /// More than any accepted head, with room for what is added, so that the loop answers 431 itself.
    static let bytesMax = 40 * 1024

    private var method: [UInt8] = []
    private var path: [UInt8] = []
    private var authority: [UInt8] = []
    private var host: [UInt8] = []
    private var protocolName: [UInt8] = []
    private var cookies: [UInt8] = []
    private var fields: [UInt8] = []
    private var hasLength = false
    private(set) var count = 0

    var isHead: Bool { method.elementsEqual("HEAD".utf8) }

    /// Takes one field; false where it is too much or cannot stand in a head.
    mutating func take(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
        count += name.count + value.count + 4
        guard count <= Self.bytesMax, value.allSatisfy({ !$0.isForbiddenInValue }) else { return false }
        switch String(decoding: name, as: UTF8.self) {
        case ":method": method = Array(value)
        case ":path": path = Array(value)
        case ":authority": authority = Array(value)
        case ":protocol": protocolName = Array(value)
        case ":scheme": break
        case "host": host = Array(value)
        case "cookie":
            // Crumbs are put together again (RFC 9113 §8.2.3).
            if !cookies.isEmpty { cookies += Array("; ".utf8) }
            cookies += Array(value)
        default:
            guard name.allSatisfy(\.isToken) else { return false }
            if name.elementsEqual("content-length".utf8) { hasLength = true }
            append(name, value)
        }
        return true
    }

    /// The head as text, and how its body follows; nil for a request without what HTTP/1.1 needs.
    func finished(
        endsStream: Bool,
        websocketKey: () -> [UInt8]
    ) -> (text: [UInt8], upload: H2Stream.Upload)? {
        guard !method.isEmpty else { return nil }
        let isTunnel = !protocolName.isEmpty
        // RFC 8441: CONNECT with a protocol is what GET with Upgrade is in HTTP/1.1.
        let isConnect = method.elementsEqual("CONNECT".utf8) && !isTunnel
        let target = isConnect ? authority : path
        var text = isTunnel ? Array("GET".utf8) : method
        text.append(.space)
        text += target + Array(" HTTP/1.1\r\nhost: ".utf8) + (authority.isEmpty ? host : authority) + lineEnd
        if !cookies.isEmpty { text += Array("cookie: ".utf8) + cookies + lineEnd }
        text += fields
        var upload = H2Stream.Upload.none
        if isTunnel {
            text += Array("connection: upgrade\r\nupgrade: ".utf8) + protocolName + lineEnd
            text += Array("sec-websocket-key: ".utf8) + websocketKey() + lineEnd
            upload = .plain
        } else if hasLength {
            upload = .plain
        } else if !endsStream {
            text += Array("transfer-encoding: chunked\r\n".utf8)
            upload = .chunked
        }
        return (text + lineEnd, upload)
    }

    private var lineEnd: [UInt8] { [.carriageReturn, .lineFeed] }

    private mutating func append(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) {
        fields += Array(name) + Array(": ".utf8) + Array(value) + lineEnd
    }
}
