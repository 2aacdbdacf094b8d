// BodyFraming: how long a body is (RFC 9112 §6), read from Content-Length and Transfer-Encoding fields.

/// The length of a body as its head declares it.
enum BodyFraming: Equatable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends with the connection.
    case untilClose
}

/// Collects the framing fields of one head.
struct FramingFields {
    private(set) var length: UInt64?
    private(set) var isChunked = false
    private var hasOtherCoding = false

    /// Takes a Content-Length field: digits only, once.
    mutating func takeLength(_ bytes: Bytes, _ field: FieldSpan) throws(Refusal) {
        guard length == nil else { throw .duplicateContentLength }
        let count = field.valueEnd - field.value
        // 18 digits fit into 63 bits.
        guard (1...18).contains(count) else { throw .badContentLength }
        var value: UInt64 = 0
        for index in Int(field.value)..<Int(field.valueEnd) {
            guard bytes[index].isDigit else { throw .badContentLength }
            value = value * 10 + UInt64(bytes[index] - 0x30)
        }
        length = value
    }

    /// Takes a Transfer-Encoding field: exactly `chunked`, once.
    ///
    /// Other codings are unknown, not chunked last is an error.
    mutating func takeCoding(_ bytes: Bytes, _ field: FieldSpan) throws(Refusal) {
        guard !isChunked, !hasOtherCoding else { throw .badTransferEncoding }
        let value = bytes + Int(field.value)
        let count = Int(field.valueEnd - field.value)
        if matches(value, count, "chunked") {
            isChunked = true
            return
        }
        hasOtherCoding = true
        guard count > 8, matches(value + count - 7, 7, "chunked") else { throw .badTransferEncoding }
        let before = value[count - 8]
        guard before == .comma || before.isBlank else { throw .badTransferEncoding }
        // `chunked, chunked` is malformed; `gzip, chunked` is a coding that is not understood.
        var offset = 0
        while offset + 14 < count {
            if matches(value + offset, 7, "chunked") { throw .badTransferEncoding }
            offset += 1
        }
        throw .unknownTransferEncoding
    }

    /// The framing of a request.
    func ofRequest(isVersion10: Bool) throws(Refusal) -> BodyFraming {
        if isChunked {
            guard length == nil else { throw .lengthAndChunked }
            guard !isVersion10 else { throw .chunkedInVersion10 }
            return .chunked
        }
        guard let length, length > 0 else { return .none }
        return .length(length)
    }
}
