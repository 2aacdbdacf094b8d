// FieldLines: the field lines of a head (RFC 9112 §5), parsed strictly into spans of one reused array.

/// The fields that the edge treats in some way; every other is passed on as it is.
enum FieldName: UInt8 {
    case other
    case host, connection, contentLength, transferEncoding, upgrade, expect, cookie
    /// Dropped in both directions: it concerns one connection (RFC 9110 §7.6.1) or is unsafe to pass on.
    case hop
    case requestID, globeRequestID, forwardedFor, forwardedProto, forwardedHost
    case revision, region, temperature

    /// Classifies a name by its length first, so that most names cost one comparison or none.
    init(_ name: UnsafePointer<UInt8>, _ count: Int) {
        self = .other
        switch count {
        case 2: if matches(name, count, "te") { self = .hop }
        case 4: if matches(name, count, "host") { self = .host }
        // `Proxy` becomes HTTP_PROXY in CGI programs.
        case 5: if matches(name, count, "proxy") { self = .hop }
        case 6:
            if matches(name, count, "cookie") { self = .cookie }
            if matches(name, count, "expect") { self = .expect }
        case 7: if matches(name, count, "upgrade") { self = .upgrade }
        case 10:
            if matches(name, count, "connection") { self = .connection }
            if matches(name, count, "keep-alive") { self = .hop }
        case 12: if matches(name, count, "x-request-id") { self = .requestID }
        case 14:
            if matches(name, count, "content-length") { self = .contentLength }
            if matches(name, count, "http2-settings") { self = .hop }
        case 15: if matches(name, count, "x-forwarded-for") { self = .forwardedFor }
        case 16:
            if matches(name, count, "x-forwarded-host") { self = .forwardedHost }
            if matches(name, count, "proxy-connection") { self = .hop }
        default: self = Self.long(name, count)
        }
    }

    private static func long(_ name: UnsafePointer<UInt8>, _ count: Int) -> FieldName {
        switch count {
        case 17:
            if matches(name, count, "transfer-encoding") { return .transferEncoding }
            if matches(name, count, "x-forwarded-proto") { return .forwardedProto }
            // Said by the edge alone, so that an app can believe it.
            if matches(name, count, "x-meridian-mirror") { return .hop }
            return matches(name, count, "x-meridian-region") ? .region : .other
        case 18:
            return matches(name, count, "x-globe-request-id") ? .globeRequestID : .other
        case 19:
            if matches(name, count, "x-meridian-revision") { return .revision }
            if matches(name, count, "proxy-authorization") { return .hop }
            return matches(name, count, "x-globe-temperature") ? .temperature : .other
        case 22:
            return matches(name, count, "x-meridian-temperature") ? .temperature : .other
        default:
            return .other
        }
    }
}

/// One field line, as offsets into its buffer.
struct FieldSpan {
    var line: Int32 = 0
    var nameEnd: Int32 = 0
    var value: Int32 = 0
    var valueEnd: Int32 = 0
    /// Behind the line's CR LF.
    var lineEnd: Int32 = 0
    var name: FieldName = .other
}

/// The outcome of parsing what may be only the beginning of a head.
enum HeadProgress {
    case complete
    /// No fault so far, but the empty line is missing.
    case incomplete
}

/// Parsed field lines in memory that is allocated once per loop.
///
/// The memory holds `fieldsMax` spans; `count` of them are initialised. The owner calls `deallocate` once.
struct FieldLines {
    /// A browser sends about 20 fields; more than this is abuse.
    static let fieldsMax = 128
    /// Tokens in all Connection fields: each is compared with each field name.
    static let connectionTokensMax = 16

    let spans: UnsafeMutablePointer<FieldSpan>
    private(set) var count = 0
    /// Names in Connection fields beside close, keep-alive and upgrade.
    let tokens: UnsafeMutablePointer<FieldSpan>
    private(set) var tokenCount = 0
    private(set) var hasClose = false
    private(set) var hasKeepAlive = false
    private(set) var hasUpgrade = false

    init() {
        spans = .allocate(capacity: Self.fieldsMax)
        tokens = .allocate(capacity: Self.connectionTokensMax)
    }

    func deallocate() {
        spans.deallocate()
        tokens.deallocate()
    }

    /// Parses lines from `start` up to the empty one; gives the offset behind it, or nil where it is not there yet.
    mutating func parse(_ bytes: Bytes, from start: Int, to end: Int) throws(Refusal) -> Int? {
        count = 0
        tokenCount = 0
        hasClose = false
        hasKeepAlive = false
        hasUpgrade = false
        var line = start
        while let feed = lineFeed(bytes, from: line, to: end) {
            guard feed > line, bytes[feed - 1] == .carriageReturn else { throw .bareLineFeed }
            if feed - 1 == line { return feed + 1 }
            guard count < Self.fieldsMax else { throw .tooManyFields }
            let span = try parseLine(bytes, line, feed - 1)
            (spans + count).initialize(to: span)
            count += 1
            if span.name == .connection { try readConnection(bytes, span) }
            line = feed + 1
        }
        return nil
    }

    /// Whether a field is named in Connection and therefore ends here.
    func isNamedInConnection(_ bytes: Bytes, _ field: FieldSpan) -> Bool {
        let count = Int(field.nameEnd - field.line)
        for index in 0..<tokenCount {
            let token = tokens[index]
            guard Int(token.valueEnd - token.value) == count else { continue }
            var offset = 0
            while offset < count, bytes[Int(field.line) + offset].lowered == bytes[Int(token.value) + offset].lowered {
                offset += 1
            }
            if offset == count { return true }
        }
        return false
    }

    private func parseLine(_ bytes: Bytes, _ line: Int, _ end: Int) throws(Refusal) -> FieldSpan {
        var cursor = line
        while cursor < end, bytes[cursor].isToken { cursor += 1 }
        guard cursor > line else { throw bytes[line].isBlank ? .foldedLine : .badFieldName }
        guard cursor < end, bytes[cursor] == .colon else { throw .badFieldName }
        var value = cursor + 1
        while value < end, bytes[value].isBlank { value += 1 }
        var valueEnd = end
        while valueEnd > value, bytes[valueEnd - 1].isBlank { valueEnd -= 1 }
        guard isValidValue(bytes, from: value, to: valueEnd) else { throw .badFieldValue }
        return FieldSpan(
            line: Int32(line),
            nameEnd: Int32(cursor),
            value: Int32(value),
            valueEnd: Int32(valueEnd),
            lineEnd: Int32(end + 2),
            name: FieldName(bytes + line, cursor - line)
        )
    }

    private mutating func readConnection(_ bytes: Bytes, _ field: FieldSpan) throws(Refusal) {
        var cursor = Int(field.value)
        let end = Int(field.valueEnd)
        while cursor < end {
            while cursor < end, bytes[cursor].isBlank || bytes[cursor] == .comma { cursor += 1 }
            let start = cursor
            while cursor < end, bytes[cursor].isToken { cursor += 1 }
            guard cursor > start || cursor == end else { throw .badConnectionField }
            if cursor > start { try take(bytes, start, cursor) }
        }
    }

    private mutating func take(_ bytes: Bytes, _ start: Int, _ end: Int) throws(Refusal) {
        let name = bytes + start
        if matches(name, end - start, "close") {
            hasClose = true
        } else if matches(name, end - start, "keep-alive") {
            hasKeepAlive = true
        } else if matches(name, end - start, "upgrade") {
            hasUpgrade = true
        } else {
            guard tokenCount < Self.connectionTokensMax else { throw .badConnectionField }
            (tokens + tokenCount).initialize(to: FieldSpan(value: Int32(start), valueEnd: Int32(end)))
            tokenCount += 1
        }
    }
}
