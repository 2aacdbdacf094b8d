// TestRegistry: registries and bundles to test on.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRegistry

/// Runs `body` with a directory that is deleted afterwards.
func withDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/meridian-registry-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let directory = String(cString: made)
    do {
        try await body(directory)
    } catch {
        try DurableFile.remove(directory)
        throw error
    }
    try DurableFile.remove(directory)
}

/// The registry error that `body` throws; records an issue where it throws none.
func registryError(_ body: () async throws -> Void) async -> RegistryError? {
    do {
        try await body()
        Issue.record("no error was thrown")
        return nil
    } catch {
        return error as? RegistryError
    }
}

/// A bundle's parts as they are pushed.
struct TestBundle {
    let manifest: Digest
    let configuration: Digest
    let layer: Digest

    /// Packs and pushes a bundle whose program says `text`.
    static func push(_ text: String, to registry: any RegistryPort, in directory: String) async throws -> TestBundle {
        let archive = "\(directory)/\(text).tar"
        let packed = try TarWriter.pack(
            [
                TarItem(path: try TarPath("server"), content: .bytes(Array(text.utf8)), isExecutable: true),
                TarItem(path: try TarPath("assets/a.txt"), content: .bytes([1, 2, 3])),
            ],
            to: archive
        )
        let layer = try await registry.put(file: archive)
        let document = BundleConfiguration(executable: "server", arguments: [], preset: .c, libraries: [])
        let bytes = document.canonicalUTF8
        let configuration = try await registry.put(bytes)
        let manifest = BundleManifest(
            config: BundleBlob(
                mediaType: BundleBlob.configurationMediaType,
                digest: configuration,
                size: bytes.count
            ),
            layer: BundleBlob(mediaType: BundleBlob.layerMediaType, digest: layer, size: packed.size)
        )
        return TestBundle(
            manifest: try await registry.put(manifest.canonicalUTF8),
            configuration: configuration,
            layer: layer
        )
    }
}

/// Changes one byte of a file without changing its size.
func damage(_ path: String) throws {
    var bytes = try DurableFile.read(path)
    bytes[bytes.count / 2] ^= 1
    let file = try OpenFile(path, O_WRONLY | O_TRUNC)
    try file.write(bytes)
}
