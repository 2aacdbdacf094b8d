// RegistryPort: content by its digest.
package import MeridianModel

/// A content-addressed store of blobs: what goes in under a digest comes out as exactly those bytes or not at all.
package protocol RegistryPort: Sendable {
    /// Stores the bytes and answers their digest; storing what is there already does nothing.
    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest

    /// Takes over a file of the caller's (moved or copied) as a blob; atomic: a crash leaves no half blob.
    func put(file path: String) async throws(RegistryError) -> Digest

    /// Whether the blob is there (its bytes are verified when it is read, not here).
    func contains(_ digest: Digest) async -> Bool

    /// The blob's bytes, verified.
    /// - Throws: `.notFound`, `.corrupted` (the blob is set aside and reported, never returned), `.unavailable`.
    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8]

    /// The path of a file with the blob's verified bytes, to be read only.
    func file(_ digest: Digest) async throws(RegistryError) -> String

    /// Every digest that is stored, sorted.
    func list() async throws(RegistryError) -> [Digest]

    /// Deletes blobs; one that is missing is no error.
    func delete(_ digests: [Digest]) async throws(RegistryError)
}

/// Why the registry did not do what was asked.
package struct RegistryError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        case notFound
        /// The bytes do not have the digest they are stored under.
        case corrupted
        /// The content is refused: too large, or not of the form it must have.
        case refused
        case unavailable
    }

    package let code: Code
    package let message: String
    package let digest: Digest?

    package init(_ code: Code, _ message: String, digest: Digest? = nil) {
        self.code = code
        self.message = message
        self.digest = digest
    }

    package var description: String { "registry: \(code.rawValue): \(message)" }
}
