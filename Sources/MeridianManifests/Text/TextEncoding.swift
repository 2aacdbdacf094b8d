// TextEncoding: refuses what is not UTF-8 text before a parser sees it.

internal import MeridianModel

/// The checks of a manifest's bytes that come before its grammar.
enum TextEncoding {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// `bytes` without the byte order mark that some editors put at the beginning.
    static func withoutByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
    }

    /// The first place where `bytes` is no text that YAML and JSON allow; nil where all is well.
    static func problem(in bytes: [UInt8]) -> TextProblem? {
        if let encoding = wideEncoding(of: bytes) {
            return TextProblem(location: .start, message: "the file is \(encoding) text. Save it as UTF-8")
        }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let (offset, message) = firstFault(in: buffer) else { return nil }
            return TextProblem(location: location(of: offset, in: buffer), message: message)
        }
    }

    /// UTF-16 and UTF-32 by their byte order mark, or by the NUL that their first ASCII character has (YAML 1.2 §5.2).
    private static func wideEncoding(of bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32" }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
        guard bytes.count >= 4, bytes.count.isMultiple(of: 2) else { return nil }
        let zeros = bytes.prefix(4).map { $0 == 0 }
        if zeros == [false, true, true, true] || zeros == [true, true, true, false] { return "UTF-32" }
        if zeros == [false, true, false, true] || zeros == [true, false, true, false] { return "UTF-16" }
        return nil
    }

    private static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> (offset: Int, message: String)? {
        var offset = 0
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20...0x7F, 0x09, 0x0A, 0x0D: offset += 1
            case 0: return (offset, "a NUL byte; this is no text file, or it is damaged")
            case let byte where byte < 0x20:
                let code = String(byte, radix: 16, uppercase: true)
                return (offset, "the control character U+00\(byte < 0x10 ? "0" : "")\(code). Remove it")
            default:
                guard let length = utf8SequenceLength(in: bytes, at: offset) else {
                    return (offset, "a byte that is not UTF-8. Save the file as UTF-8")
                }
                let sequence = bytes[offset..<(offset + length)]
                if sequence.elementsEqual(byteOrderMark) {
                    return (offset, "a byte order mark (U+FEFF) inside the text. Remove this invisible character")
                }
                offset += length
            }
        }
        return nil
    }

    /// The line and column of the byte at `offset`.
    private static func location(of offset: Int, in bytes: UnsafeBufferPointer<UInt8>) -> SourceLocation {
        var line = 1
        var column = 1
        for byte in bytes[..<offset] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return SourceLocation(line: line, column: column)
    }
}
