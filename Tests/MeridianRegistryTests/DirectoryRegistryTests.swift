// DirectoryRegistryTests: blobs that come out as they went in, or not at all.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRegistry

@Suite("A registry in a directory")
struct DirectoryRegistryTests {
    @Test("gives back the bytes under their digest, also after a restart")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let digest = try await registry.put(Array("abc".utf8))
            #expect(digest == Digest.of(Array("abc".utf8)))
            #expect(try await registry.put(Array("abc".utf8)) == digest)
            try DurableFile.write(Array("file".utf8), to: "\(directory)/f")
            let second = try await registry.put(file: "\(directory)/f")
            #expect(try DurableFile.read("\(directory)/f") == Array("file".utf8))
            let reopened = try DirectoryRegistry(root: "\(directory)/r")
            #expect(try await reopened.get(digest) == Array("abc".utf8))
            #expect(try await reopened.list() == [digest, second].sorted())
            #expect(await reopened.contains(second))
            #expect(try DurableFile.read(try await reopened.file(second)) == Array("file".utf8))
            try await reopened.delete([second, second])
            #expect(await !reopened.contains(second))
            #expect(try DurableFile.names(in: "\(directory)/r/incoming").isEmpty)
        }
    }

    @Test("says what is missing")
    func missing() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: directory)
            let digest = Digest.of([1])
            #expect(await registryError { _ = try await registry.get(digest) }?.code == .notFound)
            let error = await registryError { _ = try await registry.file(digest) }
            #expect(error?.code == .notFound)
            #expect(error?.digest == digest)
            #expect(await registryError { _ = try await registry.put(file: "\(directory)/none") }?.code == .unavailable)
        }
    }

    @Test("sets a damaged blob aside, never returns it, and takes it anew")
    func damaged() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: directory)
            let bytes = Array("some content".utf8)
            let digest = try await registry.put(bytes)
            let path = try await registry.file(digest)
            try damage(path)
            #expect(await registryError { _ = try await registry.file(digest) }?.code == .corrupted)
            #expect(try DurableFile.names(in: "\(directory)/quarantine") == [digest.hex])
            #expect(await registryError { _ = try await registry.get(digest) }?.code == .notFound)
            _ = try await registry.put(bytes)
            #expect(try await registry.get(digest) == bytes)
            try damage(path)
            #expect(await registryError { _ = try await registry.get(digest) }?.code == .corrupted)
            _ = try await registry.put(bytes)
            try damage(path)
            _ = try await registry.put(bytes)
            #expect(try await registry.get(digest) == bytes, "storing again heals a blob that nobody has read yet")
        }
    }

    @Test("takes the same blob from many writers at once")
    func concurrentPuts() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: directory)
            let bytes = [UInt8](repeating: 7, count: 300_000)
            try await withThrowingTaskGroup(of: Digest.self) { group in
                for _ in 0..<20 { group.addTask { try await registry.put(bytes) } }
                for try await digest in group { #expect(digest == Digest.of(bytes)) }
            }
            #expect(try await registry.get(Digest.of(bytes)) == bytes)
            #expect(try DurableFile.names(in: "\(directory)/incoming").isEmpty)
        }
    }
}

@Suite("Garbage collection")
struct GarbageTests {
    /// A time at which everything stored now is older than the grace.
    private var later: Timestamp { Timestamp(milliseconds: (Int64(time(nil)) + 7200) * 1000) }

    @Test("keeps roots and what bundles need, and deletes the rest")
    func reachability() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let kept = try await TestBundle.push("kept", to: registry, in: directory)
            let dropped = try await TestBundle.push("dropped", to: registry, in: directory)
            let source = try await registry.put([1, 2, 3])
            let roots: Set = [kept.manifest, source, Digest.of([42])]
            let unreferenced = try await registry.unreferenced(roots: roots)
            #expect(unreferenced == [dropped.manifest, dropped.layer].sorted())
            #expect(kept.configuration == dropped.configuration)
            let deleted = try await registry.collectGarbage(roots: roots, grace: .seconds(3600), now: later)
            #expect(deleted == unreferenced)
            #expect(try await registry.list() == [kept.manifest, kept.configuration, kept.layer, source].sorted())
        }
    }

    @Test("spares what was stored or asked for within the grace period")
    func grace() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: directory)
            let old = try await registry.put([1])
            let asked = try await registry.put([2])
            let stored = try await registry.put([3])
            for digest in [old, asked, stored] { age("\(directory)/blobs/sha256/\(digest.hex)", seconds: 7200) }
            #expect(await registry.contains(asked))
            _ = try await registry.put([3])
            let now = Timestamp(milliseconds: Int64(time(nil)) * 1000)
            let deleted = try await registry.collectGarbage(roots: [], grace: .seconds(3600), now: now)
            #expect(deleted == [old])
        }
    }

    @Test("stops at a root that it cannot read, rather than take it for empty")
    func unreadableRoot() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundle = try await TestBundle.push("kept", to: registry, in: directory)
            try damage("\(directory)/r/blobs/sha256/\(bundle.manifest.hex)")
            let error = await registryError {
                _ = try await registry.collectGarbage(roots: [bundle.manifest], grace: .zero, now: later)
            }
            #expect(error?.code == .corrupted)
            #expect(await registry.contains(bundle.layer))
        }
    }

    private func age(_ path: String, seconds: Int) {
        let then = timeval(tv_sec: time(nil) - seconds, tv_usec: 0)
        #expect(utimes(path, [then, then]) == 0)
    }
}
