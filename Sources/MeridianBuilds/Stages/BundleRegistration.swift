// BundleRegistration: packs a bundle's files and stores them with their configuration and manifest.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

/// The last stage of a build; equal files give equal digests.
struct BundleRegistration {
    let registry: any RegistryPort
    /// A directory for the archive, on the disk of the builder.
    let staging: String

    /// Stores layer, configuration and manifest, in this order, so that a manifest never lacks what it names.
    ///
    /// - Returns: the manifest's digest.
    func register(_ checked: BuildRun.Checked) async throws(BuildError) -> Digest {
        let archive = "\(staging)/bundle.tar"
        let items = try checked.bundle.items()
        let packed = try content(.register) { () throws(ContentError) in try TarWriter.pack(items, to: archive) }
        guard packed.size <= ArchiveLimits.bundle.bytesMax, packed.entries <= ArchiveLimits.bundle.entriesMax else {
            let limits = "\(ArchiveLimits.bundle.bytesMax >> 20) MiB and \(ArchiveLimits.bundle.entriesMax) entries"
            throw BuildError(
                reason: "SourceInvalid",
                stage: .register,
                message:
                    "the bundle has \(packed.size >> 20) MiB in \(packed.entries) entries; at most \(limits) are run. "
                    + "Leave out assets"
            )
        }
        let configuration = checked.configuration.canonicalUTF8
        do throws(RegistryError) {
            let layer = try await registry.put(file: archive)
            let config = try await registry.put(configuration)
            let manifest = BundleManifest(
                config: BundleBlob(
                    mediaType: BundleBlob.configurationMediaType,
                    digest: config,
                    size: configuration.count
                ),
                layer: BundleBlob(mediaType: BundleBlob.layerMediaType, digest: layer, size: packed.size)
            )
            return try await registry.put(manifest.canonicalUTF8)
        } catch {
            throw BuildError(registry: error, stage: .register)
        }
    }
}
