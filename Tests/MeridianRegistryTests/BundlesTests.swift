// BundlesTests: bundles on disk, once, whole, and only those that are needed.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRegistry

@Suite("Unpacked bundles")
struct BundlesTests {
    @Test("have the files that were registered and are unpacked once for all who ask at once")
    func unpacking() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundle = try await TestBundle.push("hello", to: registry, in: directory)
            let bundles = try Bundles(registry: registry, directory: "\(directory)/cache")
            let places = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<10 { group.addTask { try await bundles.directory(for: bundle.manifest) } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(places.count == 1)
            let place = try #require(places.first)
            #expect(try DurableFile.read("\(place)/server") == Array("hello".utf8))
            #expect(access("\(place)/server", X_OK) == 0)
            #expect(try DurableFile.names(in: "\(directory)/cache") == [bundle.manifest.hex])
            #expect(try await bundles.configuration(of: bundle.manifest).executable == "server")
        }
    }

    @Test("are adopted after a restart, but not those of another boot or half of one")
    func restart() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundle = try await TestBundle.push("hello", to: registry, in: directory)
            let cache = "\(directory)/cache"
            let place = try await Bundles(registry: registry, directory: cache).directory(for: bundle.manifest)
            try DurableFile.write([9], to: "\(place)/mark")
            _ = try await Bundles(registry: registry, directory: cache).directory(for: bundle.manifest)
            #expect(try DurableFile.read("\(place)/mark") == [9])
            try DurableFile.write(Array("another boot".utf8), to: "\(cache)/\(bundle.manifest.hex)/complete")
            try DurableFile.createDirectory("\(cache)/unpacking-1/app")
            _ = try await Bundles(registry: registry, directory: cache).directory(for: bundle.manifest)
            #expect(try DurableFile.names(in: place) == ["assets", "server"])
            #expect(try DurableFile.names(in: cache) == [bundle.manifest.hex])
        }
    }

    @Test("are unpacked again where their directory is gone")
    func deleted() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundle = try await TestBundle.push("hello", to: registry, in: directory)
            let bundles = try Bundles(registry: registry, directory: "\(directory)/cache")
            let place = try await bundles.directory(for: bundle.manifest)
            try DurableFile.remove(DurableFile.directory(of: place))
            #expect(try await bundles.directory(for: bundle.manifest) == place)
            #expect(access("\(place)/server", X_OK) == 0)
        }
    }

    @Test("are never made of damaged bytes, and leave nothing behind then")
    func damagedLayer() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundle = try await TestBundle.push("hello", to: registry, in: directory)
            let path = try await registry.file(bundle.layer)
            let blob = try #require(try? DurableFile.read(path))
            // The verified file is changed behind the registry's back, keeping inode, size and time of writing.
            var status = stat()
            #expect(stat(path, &status) == 0)
            try damage(path)
            var times = [status.st_atim, status.st_mtim]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
            let bundles = try Bundles(registry: registry, directory: "\(directory)/cache")
            let error = await registryError { _ = try await bundles.directory(for: bundle.manifest) }
            #expect(error?.code == .corrupted)
            #expect(try DurableFile.names(in: "\(directory)/cache").isEmpty)
            _ = try await registry.put(blob)
            _ = try await bundles.directory(for: bundle.manifest)
        }
    }

    @Test("are refused where the manifest is none or the executable is missing")
    func refused() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundles = try Bundles(registry: registry, directory: "\(directory)/cache")
            for text in ["not json", "{}", "[]", #"{"schemaVersion":2,"layers":[]}"#] {
                let digest = try await registry.put(Array(text.utf8))
                let error = await registryError { _ = try await bundles.directory(for: digest) }
                #expect(error?.code == .refused)
                #expect(error?.message.contains(digest.hex) == true)
            }
            let good = try await TestBundle.push("hello", to: registry, in: directory)
            let bytes = BundleConfiguration(executable: "assets/a.txt", arguments: [], preset: .c, libraries: [])
                .canonicalUTF8
            let size = try await registry.get(good.layer).count
            let manifest = BundleManifest(
                config: BundleBlob(
                    mediaType: BundleBlob.configurationMediaType,
                    digest: try await registry.put(bytes),
                    size: bytes.count
                ),
                layer: BundleBlob(mediaType: BundleBlob.layerMediaType, digest: good.layer, size: size)
            )
            let digest = try await registry.put(manifest.canonicalUTF8)
            let error = await registryError { _ = try await bundles.directory(for: digest) }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("assets/a.txt") == true)
            let missing = await registryError { _ = try await bundles.directory(for: Digest.of([1])) }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("that nobody uses are removed, the others stay")
    func eviction() async throws {
        try await withDirectory { directory in
            let registry = try DirectoryRegistry(root: "\(directory)/r")
            let bundles = try Bundles(registry: registry, directory: "\(directory)/cache")
            let used = try await TestBundle.push("used", to: registry, in: directory)
            let unused = try await TestBundle.push("unused", to: registry, in: directory)
            _ = try await bundles.directory(for: used.manifest)
            let place = try await bundles.directory(for: unused.manifest)
            #expect(try await bundles.removeUnused(keeping: [used.manifest]) == [unused.manifest])
            #expect(try await bundles.removeUnused(keeping: [used.manifest]) == [])
            #expect(access(place, F_OK) != 0)
            #expect(try DurableFile.names(in: "\(directory)/cache") == [used.manifest.hex])
            #expect(try await bundles.directory(for: unused.manifest) == place)
        }
    }

    @Test("have one manifest text whatever the order in which a document was written")
    func canonicalManifest() throws {
        let blob = BundleBlob(mediaType: BundleBlob.layerMediaType, digest: Digest.of([1]), size: 1)
        let config = BundleBlob(mediaType: BundleBlob.configurationMediaType, digest: Digest.of([2]), size: 2)
        let manifest = BundleManifest(config: config, layer: blob)
        let read = try BundleForm.manifest(manifest.canonicalUTF8).get()
        #expect(read == manifest)
        #expect(read.canonicalUTF8 == manifest.canonicalUTF8)
        #expect(read.blobs == [config.digest, blob.digest])
    }
}
