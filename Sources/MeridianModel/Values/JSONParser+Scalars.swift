// JSONParser+Scalars: literals, numbers and strings of the JSON parser.

extension JSONParser {
    /// The literal, number or string at `offset`.
    mutating func scalar() throws(JSONSyntaxError) -> JSONValue {
        switch current {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw fault("expected a JSON value, found \(found)")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard offset + length <= bytes.count,
            bytes[offset..<(offset + length)].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: length))
        else { throw fault("expected a JSON value; did you mean \(word)?") }
        offset += length
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let (start, startLocation) = (offset, location)
        _ = accept(UInt8(ascii: "-"))
        let digitsStart = offset
        try digits()
        guard bytes[digitsStart] != UInt8(ascii: "0") || offset == digitsStart + 1 else {
            throw JSONSyntaxError(
                location: startLocation,
                offset: start,
                message: "a number must not begin with a needless 0"
            )
        }
        var isWhole = true
        if accept(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
            isWhole = false
            if !accept(UInt8(ascii: "+")) { _ = accept(UInt8(ascii: "-")) }
            try digits()
        }
        if isWhole, let value = wholeNumber(digitsStart..<offset, negative: digitsStart > start) {
            return .integer(value)
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw JSONSyntaxError(
                location: startLocation,
                offset: start,
                message: "a number beyond the range of a 64-bit double"
            )
        }
        return .double(value)
    }

    /// Steps over one or more digits.
    private mutating func digits() throws(JSONSyntaxError) {
        let start = offset
        while offset < bytes.count, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
        guard offset > start else { throw fault("expected a digit, found \(found)") }
    }

    /// The value of the digits at `range`; nil beyond `Int64`.
    ///
    /// It is counted downwards, since `Int64.min` has no positive twin.
    private func wholeNumber(_ range: Range<Int>, negative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[range] {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (difference, borrow) = product.subtractingReportingOverflow(Int64(byte - 0x30))
            guard !overflow, !borrow else { return nil }
            value = difference
        }
        if negative { return value }
        return value == .min ? nil : -value
    }

    /// The string whose opening quote is at `offset`.
    mutating func string() throws(JSONSyntaxError) -> String {
        offset += 1
        var start = offset
        var unescaped: [UInt8] = []
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let tail = UnsafeBufferPointer(rebasing: bytes[start..<offset])
                offset += 1
                guard !unescaped.isEmpty else { return String(decoding: tail, as: UTF8.self) }
                unescaped.append(contentsOf: tail)
                return String(decoding: unescaped, as: UTF8.self)
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: bytes[start..<offset])
                try escape(into: &unescaped)
                start = offset
            case 0..<0x20:
                throw fault("a control character inside a string; write it as an escape such as \\n or \\u0009")
            case 0x20..<0x80: offset += 1
            default: try skipMultibyteScalar()
            }
        }
        throw fault("the text ends inside a string")
    }

    /// Adds the meaning of the escape whose backslash is at `offset`.
    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONSyntaxError) {
        offset += 1
        let meaning: UInt8
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): meaning = current
        case UInt8(ascii: "b"): meaning = 0x08
        case UInt8(ascii: "f"): meaning = 0x0C
        case UInt8(ascii: "n"): meaning = 0x0A
        case UInt8(ascii: "r"): meaning = 0x0D
        case UInt8(ascii: "t"): meaning = 0x09
        case UInt8(ascii: "u"):
            let scalar = try unicodeEscape()
            unescaped.append(contentsOf: String(Character(scalar)).utf8)
            return
        default: throw fault("expected an escape after '\\' in a string, found \(found)")
        }
        offset += 1
        unescaped.append(meaning)
    }

    /// The scalar of `uXXXX`, or of two such escapes that are a surrogate pair.
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = location
        let startOffset = offset
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if (0xD800..<0xDC00).contains(first), accept(UInt8(ascii: "\\")), current == UInt8(ascii: "u") {
            let second = try hexadecimalUnit()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        throw JSONSyntaxError(
            location: start,
            offset: startOffset,
            message: "half a surrogate pair, which is no Unicode character"
        )
    }

    /// The four hexadecimal digits after the `u` at `offset`.
    private mutating func hexadecimalUnit() throws(JSONSyntaxError) -> UInt32 {
        offset += 1
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard current < 0x80, let digit = Character(Unicode.Scalar(current)).hexDigitValue else {
                throw fault("expected four hexadecimal digits after \\u, found \(found)")
            }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }
}
