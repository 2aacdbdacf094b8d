// BundleUnpacking: one bundle from the registry onto the disk.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// The steps from a bundle's digest to its tree.
struct BundleUnpacking: Sendable {
    let registry: any RegistryPort
    let bundle: Digest
    /// The cache's directory.
    let root: String
    /// Names this boot of the machine.
    let boot: String

    private var place: String { "\(root)/\(bundle.hex)" }
    private var mark: String { "\(place)/complete" }

    /// Returns once the tree is there as a whole.
    func run() async throws(RegistryError) {
        if isComplete { return }
        let manifest = try await Self.manifest(bundle, in: registry)
        let configuration = try BundleForm.configuration(try await registry.get(manifest.config.digest)).get()
        guard let layer = manifest.layers.first else {
            throw RegistryError(.refused, "\(bundle) has no layer", digest: bundle)
        }
        let archive = try await registry.file(layer.digest)
        try await offloaded { () throws(RegistryError) in
            let temporary = "\(root)/unpacking-\(UInt64.random(in: .min ... .max))"
            do throws(ContentError) {
                try fill(temporary, from: archive, layer, executable: configuration.executable)
                try settle(temporary)
            } catch {
                throw withCleanUp(of: temporary, after: error)
            }
        }
    }

    /// A bundle's manifest, read strictly.
    static func manifest(_ bundle: Digest, in registry: any RegistryPort) async throws(RegistryError) -> BundleManifest
    {
        let bytes = try await registry.get(bundle)
        switch BundleForm.manifest(bytes) {
        case .success(let manifest): return manifest
        case .failure(let error): throw RegistryError(.refused, "\(bundle): \(error.message)", digest: bundle)
        }
    }

    /// Whether an earlier process of this boot finished the tree; a mark that cannot be read is none.
    private var isComplete: Bool {
        guard let text = try? DurableFile.read(mark, atMost: 256) else { return false }
        return text.elementsEqual(boot.utf8)
    }

    private func fill(
        _ directory: String,
        from archive: String,
        _ layer: BundleBlob,
        executable: String
    ) throws(ContentError) {
        let tree = "\(directory)/app"
        try DurableFile.createDirectory(directory)
        try DurableFile.createDirectory(tree)
        let unpacked = try TarUnpacking.unpack(archive, into: tree, limits: .bundle)
        guard unpacked.digest == layer.digest, unpacked.size == layer.size else {
            throw ContentError(
                .corrupted,
                "\(layer.digest) changed while it was unpacked. Check the disk and rebuild the app"
            )
        }
        var status = stat()
        guard lstat("\(tree)/\(executable)", &status) == 0, status.st_mode & 0o111 != 0 else {
            throw ContentError(
                .refused,
                "\(bundle): \(executable) is not an executable file in the bundle. Rebuild the app"
            )
        }
        try DurableFile.write(Array(boot.utf8), to: "\(directory)/complete")
    }

    /// Replaces whatever another boot left.
    private func settle(_ temporary: String) throws(ContentError) {
        try DurableFile.remove(place)
        guard rename(temporary, place) == 0 else { throw .system("put in place", place) }
    }

    private func withCleanUp(of directory: String, after error: ContentError) -> RegistryError {
        do throws(ContentError) {
            try DurableFile.remove(directory)
            return .content(error, bundle)
        } catch let second {
            return .content(ContentError(error.code, "\(error.message); then: \(second.message)"), bundle)
        }
    }
}
