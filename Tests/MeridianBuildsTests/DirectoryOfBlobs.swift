// DirectoryOfBlobs: the simplest registry that keeps its contract, for the builder's tests.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// Blobs as files named by their digests.
struct DirectoryOfBlobs: RegistryPort {
    let directory: String

    init(_ directory: String) throws {
        self.directory = directory
        try DurableFile.createDirectory(directory)
    }

    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest {
        let digest = Digest.of(bytes)
        try wrap { () throws(ContentError) in try DurableFile.write(bytes, to: path(digest)) }
        return digest
    }

    func put(file path: String) async throws(RegistryError) -> Digest {
        try await put(try wrap { () throws(ContentError) in try DurableFile.read(path, atMost: 1 << 30) })
    }

    func contains(_ digest: Digest) async -> Bool { access(path(digest), R_OK) == 0 }

    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] {
        try wrap { () throws(ContentError) in try DurableFile.read(path(digest), atMost: 1 << 30) }
    }

    func file(_ digest: Digest) async throws(RegistryError) -> String {
        guard await contains(digest) else { throw RegistryError(.notFound, "\(digest) is not here", digest: digest) }
        return path(digest)
    }

    func list() async throws(RegistryError) -> [Digest] {
        try wrap { () throws(ContentError) in try DurableFile.names(in: directory) }.compactMap { Digest(hex: $0) }
    }

    func delete(_ digests: [Digest]) async throws(RegistryError) {
        for digest in digests { unlink(path(digest)) }
    }

    private func path(_ digest: Digest) -> String { "\(directory)/\(digest.hex)" }

    private func wrap<Value>(_ body: () throws(ContentError) -> Value) throws(RegistryError) -> Value {
        do throws(ContentError) {
            return try body()
        } catch {
            throw RegistryError(error.code == .notFound ? .notFound : .unavailable, error.message)
        }
    }
}
