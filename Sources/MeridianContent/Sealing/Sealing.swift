// Sealing: secrets at rest: AES-256-GCM under a key file, bound to what they belong to.
internal import Glibc

/// Seals and opens small secrets with one key.
///
/// A sealed text says under which scheme it was made (`sealed:v1:`), so that later schemes can stand beside it.
package struct Sealing: Sendable {
    private let key: [UInt8]

    /// The key in the file at `path`, which is created (random, mode 0600, durable) where there is none.
    ///
    /// Two processes that create it at once end with the same key.
    /// - Throws: `.refused` where others may read the file, `.corrupted` where it is not 32 bytes.
    package init(keyFile path: String) throws(ContentError) {
        var status = stat()
        if lstat(path, &status) != 0 {
            guard errno == ENOENT else { throw .system("look at", path) }
            _ = try DurableFile.createIfAbsent(try randomBytes(Self.keyBytes), at: path, mode: 0o600)
            guard lstat(path, &status) == 0 else { throw .system("look at", path) }
        }
        guard status.isRegularFile, status.st_mode & 0o077 == 0 else {
            throw ContentError(.refused, "\(path) must be a file that only its owner reads. Run: chmod 600 \(path)")
        }
        let key = try DurableFile.read(path, atMost: Self.keyBytes + 1)
        guard key.count == Self.keyBytes else {
            throw ContentError(
                .corrupted,
                "\(path) is no sealing key: \(Self.keyBytes) bytes expected. Restore it from a backup;"
                    + " with a new key every sealed secret is lost and must be applied again"
            )
        }
        self.key = key
    }

    /// `sealed:v1:` and the Base64 of nonce, ciphertext and tag (NIST SP 800-38D; 96-bit random nonce).
    ///
    /// `owner` is what the secret belongs to, e.g. `Secret/default/db`; it opens only for the same owner.
    package func seal(_ plain: [UInt8], for owner: String) throws(ContentError) -> String {
        guard plain.count <= Self.plainBytesMax else {
            throw ContentError(
                .refused,
                "\(owner): the secret has \(plain.count) bytes; at most \(Self.plainBytesMax) are sealed"
            )
        }
        let nonce = try randomBytes(AuthenticatedBox.nonceBytes)
        guard let box = AuthenticatedBox.close(plain, key, nonce, owner) else {
            throw ContentError(.unavailable, "\(owner): OpenSSL could not seal the secret")
        }
        return Self.scheme + Base64.text(of: nonce + box)
    }

    /// The secret in a sealed text.
    ///
    /// - Throws: `.corrupted` where text, key or owner differ from the sealing in any bit.
    package func open(_ text: String, for owner: String) throws(ContentError) -> [UInt8] {
        let nonceBytes = AuthenticatedBox.nonceBytes
        guard text.hasPrefix(Self.scheme), let bytes = Base64.bytes(of: String(text.dropFirst(Self.scheme.count))),
            bytes.count >= nonceBytes + AuthenticatedBox.tagBytes, bytes.count <= Self.plainBytesMax + 64
        else { throw ContentError(.corrupted, "\(owner): not a sealed secret of the form \(Self.scheme)…") }
        let box = Array(bytes.dropFirst(nonceBytes))
        guard let plain = AuthenticatedBox.open(box, key, Array(bytes.prefix(nonceBytes)), owner) else {
            throw ContentError(
                .corrupted,
                "\(owner): the sealed secret does not open: it was changed, moved here from another object,"
                    + " or sealed with another key. Apply the Secret again"
            )
        }
        return plain
    }

    private static let scheme = "sealed:v1:"
    private static let keyBytes = AuthenticatedBox.keyBytes
    /// The Kubernetes bound on one Secret.
    package static let plainBytesMax = 1 << 20
}
