// RequestHead: a request's line and fields, parsed strictly (RFC 9112 §3) into offsets of its buffer.

/// What is known of a request once its head is complete.
///
/// Offsets count from the parsed bytes' start.
struct RequestHead {
    /// The longest registered method has 17 bytes.
    static let methodBytesMax = 32

    var fields = FieldLines()
    /// Behind the empty line.
    private(set) var length = 0
    private(set) var methodEnd = 0
    /// The part of the target that goes to the app: a path with a query, or `*`; empty for an absolute URL without
    /// one.
    private(set) var path = 0..<0
    /// Whether the target is `*`: the server as a whole.
    private(set) var isAsterisk = false
    private(set) var isVersion10 = false
    /// The value of the Host field, or the authority of an absolute target; with the port.
    private(set) var host = 0..<0
    private(set) var framing = BodyFraming.none
    private(set) var isHead = false
    private(set) var isIdempotent = false
    private(set) var expectsContinue = false
    /// The index of the Upgrade field where the request may switch protocols; otherwise -1.
    private(set) var upgrade = -1
    private(set) var requestID = -1
    private(set) var revision = -1
    private(set) var hasCookies = false
    private(set) var hasForwardedFor = false

    /// Whether the client will send a further request on the connection (RFC 9112 §9.3).
    var keepsAlive: Bool { !fields.hasClose && (!isVersion10 || fields.hasKeepAlive) }

    /// Parses the head at the start of `bytes`; what it read is valid only after `complete`.
    ///
    /// Takes time linear in the head. Throws as soon as a complete line is wrong.
    mutating func parse(_ bytes: Bytes, _ count: Int, targetBytesMax: Int) throws(Refusal) -> HeadProgress {
        guard let feed = lineFeed(bytes, from: 0, to: count) else { return .incomplete }
        guard feed > 0, bytes[feed - 1] == .carriageReturn else { throw .bareLineFeed }
        try parseRequestLine(bytes, feed - 1, targetBytesMax)
        guard let end = try fields.parse(bytes, from: feed + 1, to: count) else { return .incomplete }
        length = end
        try readFields(bytes)
        return .complete
    }

    private mutating func parseRequestLine(_ bytes: Bytes, _ end: Int, _ targetBytesMax: Int) throws(Refusal) {
        var cursor = 0
        while cursor < end, bytes[cursor].isToken { cursor += 1 }
        guard cursor > 0, cursor < end, bytes[cursor] == .space, cursor <= Self.methodBytesMax else { throw .badMethod }
        methodEnd = cursor
        let target = cursor + 1
        cursor = target
        // Visible ASCII only.
        while cursor < end, bytes[cursor] &- 0x21 < 0x5E { cursor += 1 }
        guard cursor > target else { throw .malformedRequestLine }
        guard cursor < end else { throw .malformedRequestLine }
        guard bytes[cursor] == .space else { throw .badTarget }
        guard cursor - target <= targetBytesMax else { throw .targetTooLong }
        try parseVersion(bytes, cursor + 1, end)
        readMethod(bytes)
        try parseTarget(bytes, target, cursor)
    }

    /// `HTTP/1.1` or `HTTP/1.0`, to the byte.
    private mutating func parseVersion(_ bytes: Bytes, _ start: Int, _ end: Int) throws(Refusal) {
        guard end - start == 8, bytes[start] == 0x48, bytes[start + 1] == 0x54, bytes[start + 2] == 0x54,
            bytes[start + 3] == 0x50, bytes[start + 4] == 0x2F, bytes[start + 5].isDigit, bytes[start + 6] == 0x2E,
            bytes[start + 7].isDigit
        else { throw .malformedRequestLine }
        guard bytes[start + 5] == 0x31, bytes[start + 7] <= 0x31 else { throw .unsupportedVersion }
        isVersion10 = bytes[start + 7] == 0x30
    }

    /// Methods are case-sensitive; idempotent ones (RFC 9110 §9.2.2) may be sent again.
    private mutating func readMethod(_ bytes: Bytes) {
        isHead = isMethod(bytes, "HEAD")
        isIdempotent =
            isHead || isMethod(bytes, "GET") || isMethod(bytes, "PUT") || isMethod(bytes, "DELETE")
            || isMethod(bytes, "OPTIONS") || isMethod(bytes, "TRACE")
    }

    private func isMethod(_ bytes: Bytes, _ word: StaticString) -> Bool {
        guard methodEnd == word.utf8CodeUnitCount else { return false }
        for index in 0..<methodEnd where bytes[index] != word.utf8Start[index] { return false }
        return true
    }

    /// Origin form, absolute form or asterisk form (RFC 9112 §3.2).
    private mutating func parseTarget(_ bytes: Bytes, _ start: Int, _ end: Int) throws(Refusal) {
        host = 0..<0
        isAsterisk = false
        if isMethod(bytes, "CONNECT") { throw .connectMethod }
        if bytes[start] == 0x2F {
            path = start..<end
            return
        }
        if end - start == 1, bytes[start] == 0x2A {
            guard isMethod(bytes, "OPTIONS") else { throw .badTarget }
            isAsterisk = true
            path = start..<end
            return
        }
        var authority = start
        if end - start > 7, matches(bytes + start, 7, "http://") { authority += 7 }
        if end - start > 8, matches(bytes + start, 8, "https://") { authority += 8 }
        guard authority > start else { throw .badTarget }
        var cursor = authority
        while cursor < end, bytes[cursor].isHost { cursor += 1 }
        guard cursor > authority, cursor == end || bytes[cursor] == 0x2F || bytes[cursor] == 0x3F else {
            throw .badTarget
        }
        host = authority..<cursor
        path = cursor..<end
    }

    private mutating func readFields(_ bytes: Bytes) throws(Refusal) {
        var framing = FramingFields()
        let isAbsolute = !host.isEmpty
        var hostFields = 0
        expectsContinue = false
        upgrade = -1
        requestID = -1
        revision = -1
        hasCookies = false
        hasForwardedFor = false
        for index in 0..<fields.count {
            let field = fields.spans[index]
            switch field.name {
            case .other, .hop, .connection: continue
            case .host:
                hostFields += 1
                try readHost(bytes, field, isAbsolute: isAbsolute)
            case .contentLength: try framing.takeLength(bytes, field)
            case .transferEncoding: try framing.takeCoding(bytes, field)
            case .upgrade: try readUpgrade(bytes, field, index)
            case .expect: try readExpectation(bytes, field)
            case .cookie: hasCookies = true
            case .requestID: requestID = index
            case .revision: revision = index
            case .forwardedFor: hasForwardedFor = true
            case .globeRequestID, .forwardedProto, .forwardedHost, .region, .temperature: continue
            }
        }
        guard hostFields <= 1 else { throw .duplicateHost }
        guard hostFields == 1 || isVersion10 else { throw .missingHost }
        self.framing = try framing.ofRequest(isVersion10: isVersion10)
    }

    private mutating func readHost(_ bytes: Bytes, _ field: FieldSpan, isAbsolute: Bool) throws(Refusal) {
        for index in Int(field.value)..<Int(field.valueEnd) where !bytes[index].isHost { throw .badHost }
        // RFC 9112 §3.2.2: the authority of an absolute target wins.
        if !isAbsolute { host = Int(field.value)..<Int(field.valueEnd) }
    }

    /// One protocol, never h2c: an upgrade to HTTP/2 would carry requests past these checks.
    private mutating func readUpgrade(_ bytes: Bytes, _ field: FieldSpan, _ index: Int) throws(Refusal) {
        let value = bytes + Int(field.value)
        let count = Int(field.valueEnd - field.value)
        let isH2C = count >= 3 && matches(value, 3, "h2c")
        var isList = false
        for offset in 0..<count where value[offset] == .comma { isList = true }
        if count > 0, !isH2C, !isList, !isVersion10, fields.hasUpgrade, upgrade < 0 { upgrade = index }
    }

    private mutating func readExpectation(_ bytes: Bytes, _ field: FieldSpan) throws(Refusal) {
        // HTTP/1.0 knows no expectations (RFC 9110 §10.1.1).
        guard !isVersion10 else { return }
        guard matches(bytes + Int(field.value), Int(field.valueEnd - field.value), "100-continue") else {
            throw .unknownExpectation
        }
        expectsContinue = true
    }
}
