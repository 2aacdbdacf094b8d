// MessageSignature: HMAC-SHA256, and comparing in a time that tells nothing.
internal import COpenSSL

/// Signatures of messages by a shared secret (RFC 2104, with SHA-256).
package enum MessageSignature {
    private static let byteCount = 32

    /// Whether `hex` is the signature of `message` under `secret`, in upper- or lower-case hexadecimal.
    ///
    /// The time of the comparison does not depend on how much of it is right. An empty secret signs nothing.
    package static func isValid(_ hex: String, of message: [UInt8], secret: String) -> Bool {
        guard !secret.isEmpty, let given = bytes(hex), given.count == byteCount else { return false }
        return areEqual(given, signature(of: message, secret: Array(secret.utf8)))
    }

    /// Whether two secrets are the same, compared by their signatures so that not even their lengths show.
    package static func isSame(_ one: String, _ other: String) -> Bool {
        guard !one.isEmpty else { return false }
        let key = Array("meridian".utf8)
        return areEqual(signature(of: Array(one.utf8), secret: key), signature(of: Array(other.utf8), secret: key))
    }

    static func signature(of message: [UInt8], secret: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        var count: UInt32 = 0
        let made = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &result, &count)
        precondition(made != nil && count == byteCount, "OpenSSL has HMAC-SHA256 in every build")
        return result
    }

    private static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = hex.utf8.map { UInt8(Character(UnicodeScalar($0)).hexDigitValue ?? 255) }
        guard digits.count % 2 == 0, !digits.contains(255) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
