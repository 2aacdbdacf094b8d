// SHA256: digests of bytes and files, computed by OpenSSL.
internal import COpenSSL
internal import Glibc
package import MeridianModel

/// A running SHA-256 (FIPS 180-4).
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// An empty message.
    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL has no SHA-256 or no memory; every build of it has SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends bytes to the message.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let result = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(result == 1, "EVP_DigestUpdate fails only on a context that was not initialised")
    }

    /// The digest of the whole message; ends it.
    package consuming func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        let result = EVP_DigestFinal_ex(context, &bytes, nil)
        precondition(result == 1, "EVP_DigestFinal_ex fails only on a context that was not initialised")
        guard let digest = Digest(hex: lowercaseHex(bytes)) else {
            preconditionFailure("32 bytes are 64 hexadecimal digits")
        }
        return digest
    }

    private static let byteCount = 32
}

extension Digest {
    /// The digest of `bytes`.
    package static func of(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { buffer in
            var hash = SHA256()
            hash.update(buffer)
            return hash.finish()
        }
    }

    /// The digest of a file's content.
    package static func of(file path: String) throws(ContentError) -> Digest {
        try of(OpenFile(path, O_RDONLY))
    }

    /// The digest of what is left to read in an open file.
    package static func of(_ file: borrowing OpenFile) throws(ContentError) -> Digest {
        var hash = SHA256()
        try file.forEachChunk { (chunk) throws(ContentError) in hash.update(chunk) }
        return hash.finish()
    }
}

/// Two lower-case hexadecimal digits per byte.
private func lowercaseHex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
