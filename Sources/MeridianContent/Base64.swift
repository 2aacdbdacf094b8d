// Base64: bytes as text with the standard alphabet, through OpenSSL, and strictly back.
internal import COpenSSL

/// RFC 4648 §4 with padding.
package enum Base64 {
    /// The text of `bytes`, without line breaks.
    package static func text(of bytes: [UInt8]) -> String {
        var output = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&output, bytes, Int32(bytes.count))
        return String(decoding: output[..<Int(count)], as: UTF8.self)
    }

    /// The bytes of `text`; nil for anything but the one text that `text(of:)` writes for them.
    package static func bytes(of text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count % 4 == 0, input.count <= textBytesMax else { return nil }
        if input.isEmpty { return [] }
        var output = [UInt8](repeating: 0, count: input.count / 4 * 3)
        guard EVP_DecodeBlock(&output, input, Int32(input.count)) == Int32(output.count) else { return nil }
        output.removeLast(min(2, input.reversed().prefix { $0 == UInt8(ascii: "=") }.count))
        // OpenSSL skips blanks and ignores stray bits; only the canonical text may pass.
        return self.text(of: output) == text ? output : nil
    }

    /// OpenSSL counts in 32 bits; nothing here is near this.
    private static let textBytesMax = 1 << 30
}
