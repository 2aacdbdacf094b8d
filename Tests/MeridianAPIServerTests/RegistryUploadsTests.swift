// RegistryUploadsTests: uploads on their way into the registry.
import Glibc
import MeridianAPIServer
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

/// A registry that reads what it is handed and names it by its first letter.
private final class LetterRegistry: RegistryPort {
    let blobs = Mutex<[Digest: Int]>([:])

    func put(file path: String) async throws(RegistryError) -> Digest {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        var first: UInt8 = 0
        guard read(file, &first, 1) == 1,
            let digest = Digest(hex: String(repeating: Character(Unicode.Scalar(first)), count: 64))
        else { throw RegistryError(.unavailable, "cannot read \(path)") }
        let count = Int(lseek(file, 0, SEEK_END))
        blobs.withLock { $0[digest] = count }
        return digest
    }

    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest {
        throw RegistryError(.unavailable, "not asked for")
    }
    func contains(_ digest: Digest) async -> Bool { blobs.withLock { $0[digest] != nil } }
    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] {
        throw RegistryError(.notFound, "not asked for")
    }
    func file(_ digest: Digest) async throws(RegistryError) -> String {
        throw RegistryError(.notFound, "not asked for")
    }
    func list() async throws(RegistryError) -> [Digest] { [] }
    func delete(_ digests: [Digest]) async throws(RegistryError) {}
}

@Suite("Uploads into the registry")
struct RegistryUploadsTests {
    private struct Broken: Error {}

    private static func chunks(_ chunks: [[UInt8]], breaks: Bool = false) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            for chunk in chunks { continuation.yield(chunk) }
            continuation.finish(throwing: breaks ? Broken() : nil)
        }
    }

    /// Runs `body` with uploads over an empty directory, and expects that it is empty again afterwards.
    private static func run(_ body: (RegistryUploads, LetterRegistry) async throws -> Void) async throws {
        var template = Array("/tmp/meridian-uploads-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let registry = LetterRegistry()
        try await body(RegistryUploads(registry: registry, directory: directory), registry)
        #expect(rmdir(directory) == 0, "files are left in \(directory)")
    }

    @Test("the pieces become one blob, and no file is left")
    func whole() async throws {
        let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
        try await Self.run { uploads, registry in
            #expect(await uploads.contains(digest) == false)
            let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 100_000)
            try await uploads.receive(digest, Self.chunks([piece, piece, [], piece]))
            #expect(await uploads.contains(digest))
            #expect(registry.blobs.withLock { $0[digest] } == 300_000)
        }
    }

    @Test("another digest and a broken connection are refused, and no file is left")
    func refused() async throws {
        let digest = try #require(Digest(hex: String(repeating: "a", count: 64)))
        try await Self.run { uploads, _ in
            var error = await #expect(throws: BackendError.self) {
                try await uploads.receive(digest, Self.chunks([[UInt8(ascii: "b")]]))
            }
            #expect(error?.code == .invalid && error?.message.contains("not \(digest)") == true)
            error = await #expect(throws: BackendError.self) {
                try await uploads.receive(digest, Self.chunks([[UInt8(ascii: "a")]], breaks: true))
            }
            #expect(error?.code == .interrupted)
            #expect(await uploads.contains(digest) == false)
        }
    }
}
