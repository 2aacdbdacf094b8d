// Bundles: bundles unpacked on this node, each once, for runners to mount.
internal import Glibc
internal import MeridianContent
package import MeridianModel
package import MeridianPorts

/// A cache of unpacked bundles in one directory: `<hex>/app` is the tree, `<hex>/complete` says that it is whole.
///
/// The bytes are digested while they are unpacked, and a tree appears by one rename, so what is mounted is what was
/// registered. Trees are not forced to the disk; instead the mark names the boot of the machine, and what another boot
/// left is unpacked anew.
package actor Bundles {
    private let registry: any RegistryPort
    private let root: String
    private let boot: String
    private var ready: Set<Digest> = []
    private var unpacking: [Digest: Task<Result<Void, RegistryError>, Never>] = [:]

    /// A cache at `directory`, created where it is missing; used by one process at a time.
    package init(registry: any RegistryPort, directory: String) throws(RegistryError) {
        self.registry = registry
        root = directory
        do throws(ContentError) {
            try DurableFile.createDirectory(directory)
            for name in try DurableFile.names(in: directory) where Digest(hex: name) == nil {
                try DurableFile.remove("\(directory)/\(name)")
            }
            boot = String(decoding: try DurableFile.read("/proc/sys/kernel/random/boot_id"), as: UTF8.self)
        } catch {
            throw .content(error)
        }
    }

    /// The directory with the bundle's files, to be mounted at `/app` read-only; unpacks it at first.
    ///
    /// Callers that ask at once share one unpacking; where it fails, all are told, and the next call tries again.
    /// - Throws: `.notFound`, `.corrupted`, `.refused` (not a bundle, or an unsafe archive), `.unavailable`.
    package func directory(for bundle: Digest) async throws(RegistryError) -> String {
        let tree = "\(root)/\(bundle.hex)/app"
        if ready.contains(bundle), access(tree, F_OK) == 0 { return tree }
        let task = unpacking[bundle] ?? startUnpacking(bundle)
        try await task.value.get()
        return tree
    }

    /// How the program in a bundle is started.
    package func configuration(of bundle: Digest) async throws(RegistryError) -> BundleConfiguration {
        let manifest = try await BundleUnpacking.manifest(bundle, in: registry)
        return try BundleForm.configuration(try await registry.get(manifest.config.digest)).get()
    }

    /// Deletes the trees of all other bundles; the answer names them, sorted.
    ///
    /// The caller knows which bundles running or starting runners have mounted.
    package func removeUnused(keeping used: Set<Digest>) async throws(RegistryError) -> [Digest] {
        do throws(ContentError) {
            let unused = try DurableFile.names(in: root).compactMap(Digest.init(hex:)).filter {
                !used.contains($0) && unpacking[$0] == nil
            }
            // Moved away before the first suspension, so that nobody is given a tree that is about to go.
            let gone = "\(root)/removed-\(UInt64.random(in: .min ... .max))"
            guard !unused.isEmpty else { return [] }
            try DurableFile.createDirectory(gone)
            for bundle in unused {
                ready.remove(bundle)
                guard rename("\(root)/\(bundle.hex)", "\(gone)/\(bundle.hex)") == 0 else {
                    throw ContentError.system("move away", "\(root)/\(bundle.hex)")
                }
            }
            try await offloaded { () throws(ContentError) in try DurableFile.remove(gone) }
            return unused
        } catch {
            throw .content(error)
        }
    }

    private func startUnpacking(_ bundle: Digest) -> Task<Result<Void, RegistryError>, Never> {
        let task = Task { [registry, root, boot] () -> Result<Void, RegistryError> in
            let unpacking = BundleUnpacking(registry: registry, bundle: bundle, root: root, boot: boot)
            let result: Result<Void, RegistryError>
            do throws(RegistryError) {
                try await unpacking.run()
                result = .success(())
                ready.insert(bundle)
            } catch {
                result = .failure(error)
            }
            self.unpacking[bundle] = nil
            return result
        }
        unpacking[bundle] = task
        return task
    }
}
