// DirectoryRegistry: blobs as files in a directory, named by their digest.
internal import Glibc
internal import MeridianContent
package import MeridianModel
package import MeridianPorts

/// A registry in one directory: `blobs/sha256/<hex>`, `quarantine/` for what turned out damaged, `incoming/` for what is
/// being written.
///
/// Several processes may use the directory at once: every blob appears by one rename, and equal names hold equal bytes.
/// `blobs/` is that of an OCI image layout (image-spec, "Image Layout"), so that an OCI registry can be served from it.
package struct DirectoryRegistry: RegistryPort {
    /// A larger blob is refused: a bundle unpacks to at most 1 GiB, and its archive adds little to that.
    package static let blobBytesMax = (1 << 30) + (256 << 20)
    /// What `get` returns stands in memory: sources have at most 100 MB, manifests and configurations a few kilobytes.
    package static let bytesInMemoryMax = 128 << 20

    /// The directory, as given.
    package let root: String
    let verified = VerifiedFiles()

    /// A registry at `root`, which is created where it is missing; half-written blobs of earlier crashes are removed.
    package init(root: String) throws(RegistryError) {
        self.root = root
        do throws(ContentError) {
            for directory in [blobs, quarantine, incoming] { try DurableFile.createDirectory(directory) }
            try removeAbandoned()
        } catch {
            throw .content(error)
        }
    }

    package func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest {
        guard bytes.count <= Self.blobBytesMax else { throw .tooLarge("what is to be stored", Self.blobBytesMax) }
        return try await receive { (file, hash) throws(ContentError) in
            bytes.withUnsafeBytes { hash.update($0) }
            try file.write(bytes)
        }
    }

    /// Copies the file in; the caller's file stays.
    package func put(file path: String) async throws(RegistryError) -> Digest {
        try await receive { (file, hash) throws(ContentError) in
            var size = 0
            try OpenFile(path, O_RDONLY).forEachChunk { (chunk) throws(ContentError) in
                size += chunk.count
                guard size <= Self.blobBytesMax else {
                    throw ContentError(.refused, RegistryError.tooLarge(path, Self.blobBytesMax).message)
                }
                hash.update(chunk)
                try file.write(chunk)
            }
        }
    }

    /// Whether the blob is there; where it is, garbage collection spares it for another grace period.
    package func contains(_ digest: Digest) async -> Bool { renewGrace(digest) }

    package func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] {
        try await offloaded { () throws(RegistryError) in
            let bytes = try translated(digest) { () throws(ContentError) in
                try DurableFile.read(blob(digest), atMost: Self.bytesInMemoryMax)
            }
            guard Digest.of(bytes) == digest else { throw setAside(digest) }
            return bytes
        }
    }

    /// The path of the blob's file.
    ///
    /// A file whose inode, size and time are those that were verified before is not read again; who acts on the bytes
    /// (unpacking a bundle) digests them once more on the way.
    package func file(_ digest: Digest) async throws(RegistryError) -> String {
        try await offloaded { () throws(RegistryError) in
            let hasDigest = try translated(digest) { () throws(ContentError) in try isWhole(digest) }
            guard hasDigest else { throw setAside(digest) }
            return blob(digest)
        }
    }

    package func list() async throws(RegistryError) -> [Digest] {
        try await offloaded { () throws(RegistryError) -> [Digest] in
            do throws(ContentError) {
                return try DurableFile.names(in: blobs).compactMap(Digest.init(hex:))
            } catch {
                throw .content(error)
            }
        }
    }

    package func delete(_ digests: [Digest]) async throws(RegistryError) {
        for digest in digests {
            verified.forget(digest)
            guard unlink(blob(digest)) == 0 || errno == ENOENT else {
                throw .content(.system("delete", blob(digest)), digest)
            }
        }
    }

    /// Whether the file has its digest; reads it where that is not known.
    private func isWhole(_ digest: Digest) throws(ContentError) -> Bool {
        let file = try OpenFile(blob(digest), O_RDONLY)
        let identity = try FileIdentity(of: file, named: blob(digest))
        if verified.holds(digest, identity) { return true }
        guard try Digest.of(file) == digest else { return false }
        verified.note(digest, identity)
        return true
    }

    private func translated<Answer>(
        _ digest: Digest,
        _ body: () throws(ContentError) -> Answer
    ) throws(RegistryError) -> Answer {
        do throws(ContentError) {
            return try body()
        } catch {
            throw error.code == .notFound ? .notFound(digest) : .content(error, digest)
        }
    }

    /// Moves a damaged blob out of the way; the answer is the error to throw.
    private func setAside(_ digest: Digest) -> RegistryError {
        verified.forget(digest)
        let place = "\(quarantine)/\(digest.hex)"
        guard rename(blob(digest), place) == 0 else {
            return .corrupted(digest, keptAt: "\(blob(digest)) (moving it failed: \(String(cString: strerror(errno))))")
        }
        return .corrupted(digest, keptAt: place)
    }

    var blobs: String { "\(root)/blobs/sha256" }
    var quarantine: String { "\(root)/quarantine" }
    var incoming: String { "\(root)/incoming" }

    func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }
}
