// PublicSealing: sealing by anyone with the platform's public key, opening by the platform alone.
internal import COpenSSL
internal import MeridianModel

/// The public half of a key pair for sealing, as it is handed out.
///
/// X25519 (RFC 7748), HKDF with SHA-256 (RFC 5869) and AES-256-GCM: a fresh key pair for each value, whose secret half is
/// forgotten, so that not even who sealed a value can open it again.
package struct PublicSealingKey: Sendable, Hashable {
    /// The 32 bytes of the point.
    let bytes: [UInt8]

    /// What sealed texts name the key by: the beginning of the SHA-256 of its bytes, 16 hexadecimal digits.
    package var id: String { String(Digest.of(bytes).hex.prefix(16)) }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// A public key in PEM form (`BEGIN PUBLIC KEY`, RFC 8410).
    package init(pem: String) throws(ContentError) {
        guard let body = Self.body(of: pem), body.count == Self.prefix.count + X25519.byteCount,
            body.starts(with: Self.prefix)
        else {
            throw ContentError(.refused, "this is no public key for sealing. Get it with: meridian seal --print-key")
        }
        bytes = Array(body.dropFirst(Self.prefix.count))
    }

    /// The key as PEM text, which other tools read too.
    package var pem: String { "\(Self.begin)\n\(Base64.text(of: Self.prefix + bytes))\n\(Self.end)\n" }

    /// `sealed:x25519:KEY:` and the Base64 of the ephemeral point, the ciphertext and the tag.
    ///
    /// `owner` is what the value belongs to, e.g. `Secret/default/db/PASSWORD`; it opens only for the same owner. The
    /// length of the value can be seen.
    package func seal(_ plain: [UInt8], for owner: String) throws(ContentError) -> String {
        guard plain.count <= Sealing.plainBytesMax else {
            throw ContentError(
                .refused,
                "\(owner): the value has \(plain.count) bytes; at most \(Sealing.plainBytesMax) are sealed"
            )
        }
        let ephemeral = try X25519.makePrivateKey()
        let point = try X25519.publicKey(of: ephemeral)
        guard let shared = X25519.shared(ephemeral, bytes) else {
            throw ContentError(.refused, "\(owner): the public key is none that can be sealed with")
        }
        let secrets = PublicSealing.secrets(shared, point, bytes, owner)
        guard let box = AuthenticatedBox.close(plain, secrets.key, secrets.nonce, owner) else {
            throw ContentError(.unavailable, "\(owner): OpenSSL could not seal the value")
        }
        return "\(PublicSealing.scheme)\(id):\(Base64.text(of: point + box))"
    }

    /// The bytes between the two lines; nil where there is anything else.
    private static func body(of pem: String) -> [UInt8]? {
        let lines = pem.split(whereSeparator: \.isNewline).map { String($0.filter { !$0.isWhitespace || $0 == " " }) }
        guard lines.count == 3, lines[0] == begin, lines[2] == end else { return nil }
        return Base64.bytes(of: lines[1])
    }

    private static let begin = "-----BEGIN PUBLIC KEY-----"
    private static let end = "-----END PUBLIC KEY-----"
    /// SubjectPublicKeyInfo of X25519 up to the key (RFC 8410 §4).
    private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x6E, 0x03, 0x21, 0x00]
}

/// The private half of a key pair for sealing.
package struct PrivateSealingKey: Sendable {
    private let bytes: [UInt8]
    package let publicKey: PublicSealingKey

    /// A new key pair.
    package init() throws(ContentError) { try self.init(bytes: try X25519.makePrivateKey()) }

    /// The key pair of 32 stored bytes.
    package init(bytes: [UInt8]) throws(ContentError) {
        guard bytes.count == X25519.byteCount else {
            throw ContentError(
                .corrupted,
                "a private key for sealing has \(X25519.byteCount) bytes, not \(bytes.count)"
            )
        }
        self.bytes = bytes
        publicKey = PublicSealingKey(bytes: try X25519.publicKey(of: bytes))
    }

    /// The 32 bytes to store.
    package var stored: [UInt8] { bytes }

    /// The value in a text that was sealed with the public half.
    ///
    /// - Throws: `.corrupted` where text, key or owner differ from the sealing in any bit.
    package func open(_ text: String, for owner: String) throws(ContentError) -> [UInt8] {
        guard let sealed = PublicSealing.parse(text), sealed.box.count <= Sealing.plainBytesMax + 64 else {
            throw ContentError(.corrupted, "\(owner): not a value that was sealed with a public key")
        }
        if let shared = X25519.shared(bytes, sealed.point) {
            let secrets = PublicSealing.secrets(shared, sealed.point, publicKey.bytes, owner)
            if let plain = AuthenticatedBox.open(sealed.box, secrets.key, secrets.nonce, owner) { return plain }
        }
        throw ContentError(
            .corrupted,
            "\(owner): the sealed value does not open: it was changed, or sealed for another namespace, name or key"
        )
    }
}

/// The form of texts that were sealed with a public key.
package enum PublicSealing {
    package static let scheme = "sealed:x25519:"

    /// Whether a text claims to be one.
    package static func isSealed(_ text: String) -> Bool { text.hasPrefix(scheme) }

    /// The id of the key that a text was sealed with; nil where it is of another form.
    package static func keyID(of text: String) -> String? { parse(text)?.id }

    static func parse(_ text: String) -> (id: String, point: [UInt8], box: [UInt8])? {
        guard text.hasPrefix(scheme) else { return nil }
        let parts = text.dropFirst(scheme.count).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[0].utf8.allSatisfy(isLowercaseHex),
            let bytes = Base64.bytes(of: String(parts[1])), bytes.count >= X25519.byteCount + AuthenticatedBox.tagBytes
        else { return nil }
        let (point, box) = (bytes.prefix(X25519.byteCount), bytes.dropFirst(X25519.byteCount))
        return (String(parts[0]), Array(point), Array(box))
    }

    /// Key and nonce of one value (RFC 5869): both are used once, since the ephemeral point is.
    static func secrets(
        _ shared: [UInt8],
        _ point: [UInt8],
        _ recipient: [UInt8],
        _ owner: String
    ) -> (key: [UInt8], nonce: [UInt8]) {
        let seed = MessageSignature.signature(of: shared, secret: point + recipient)
        let info = Array("meridian seal v1\u{0}\(owner)".utf8)
        let first = MessageSignature.signature(of: info + [1], secret: seed)
        let second = MessageSignature.signature(of: first + info + [2], secret: seed)
        return (first, Array(second.prefix(AuthenticatedBox.nonceBytes)))
    }

    private static func isLowercaseHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
