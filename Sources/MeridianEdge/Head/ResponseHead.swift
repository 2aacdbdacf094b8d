// ResponseHead: a runner's status line and fields (RFC 9112 §4), parsed into offsets of its buffer.

/// What is known of a response once its head is complete.
struct ResponseHead {
    var fields = FieldLines()
    /// Behind the empty line.
    private(set) var length = 0
    private(set) var status = 0
    /// The status code and reason, from the code's first digit to the line's end.
    private(set) var statusText = 0..<0
    private(set) var framing = BodyFraming.none
    /// Whether the runner keeps the connection after this response.
    private(set) var keepsAlive = false

    /// Parses the head at the start of `bytes`.
    ///
    /// `isHead` tells that the request was a HEAD.
    mutating func parse(_ bytes: Bytes, _ count: Int, isHead: Bool) throws(ResponseFault) -> HeadProgress {
        guard let feed = lineFeed(bytes, from: 0, to: count) else {
            guard isPlausibleStart(bytes, count) else { throw .malformedStatusLine }
            return .incomplete
        }
        guard feed > 0, bytes[feed - 1] == .carriageReturn else { throw .malformedStatusLine }
        let isVersion10 = try parseStatusLine(bytes, feed - 1)
        let end: Int?
        do {
            end = try fields.parse(bytes, from: feed + 1, to: count)
        } catch {
            throw error == .tooManyFields ? .headTooLarge : .malformedField
        }
        guard let end else { return .incomplete }
        length = end
        keepsAlive = !fields.hasClose && (!isVersion10 || fields.hasKeepAlive)
        try readFraming(bytes, isHead: isHead, isVersion10: isVersion10)
        return .complete
    }

    /// Whether the bytes so far can begin a status line, so that another protocol is told from a slow one.
    private func isPlausibleStart(_ bytes: Bytes, _ count: Int) -> Bool {
        let start: StaticString = "HTTP/1."
        for index in 0..<min(count, start.utf8CodeUnitCount) where bytes[index] != start.utf8Start[index] {
            return false
        }
        return true
    }

    private mutating func parseStatusLine(_ bytes: Bytes, _ end: Int) throws(ResponseFault) -> Bool {
        guard end >= 12, isPlausibleStart(bytes, end), bytes[7] == 0x30 || bytes[7] == 0x31, bytes[8] == .space,
            bytes[9].isDigit, bytes[10].isDigit, bytes[11].isDigit, end == 12 || bytes[12] == .space,
            isValidValue(bytes, from: 12, to: end)
        else { throw .malformedStatusLine }
        status = Int(bytes[9] - 0x30) * 100 + Int(bytes[10] - 0x30) * 10 + Int(bytes[11] - 0x30)
        guard status >= 100, status < 600 else { throw .malformedStatusLine }
        statusText = 9..<end
        return bytes[7] == 0x30
    }

    /// RFC 9112 §6.3, with contradictions refused instead of resolved.
    private mutating func readFraming(_ bytes: Bytes, isHead: Bool, isVersion10: Bool) throws(ResponseFault) {
        var collected = FramingFields()
        do throws(Refusal) {
            for index in 0..<fields.count {
                let field = fields.spans[index]
                if field.name == .contentLength { try collected.takeLength(bytes, field) }
                if field.name == .transferEncoding { try collected.takeCoding(bytes, field) }
            }
        } catch {
            throw .badFraming
        }
        guard !collected.isChunked || (collected.length == nil && !isVersion10) else { throw .badFraming }
        if isHead || status < 200 || status == 204 || status == 304 {
            framing = .none
        } else if collected.isChunked {
            framing = .chunked
        } else if let length = collected.length {
            framing = length > 0 ? .length(length) : .none
        } else {
            framing = .untilClose
        }
    }
}
