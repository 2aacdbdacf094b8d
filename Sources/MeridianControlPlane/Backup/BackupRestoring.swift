// BackupRestoring: makes a data directory of a backup: beside its place, and there at once when all of it is right.
import Glibc
package import MeridianContent
package import MeridianModel
import MeridianPorts
import MeridianStore

/// What is to be restored, and where.
package struct RestoreOptions: Sendable {
    /// The file with the backup.
    package var backup: String
    /// The data directory that is to be made.
    package var data: String
    /// Whether a data directory that is there makes way; it is kept under another name.
    package var replaces: Bool
    /// A file with the sealing key, for backups without keys; nil: the backup's own, or none.
    package var sealingKey: String?

    package init(backup: String, data: String, replaces: Bool = false, sealingKey: String? = nil) {
        self.backup = backup
        self.data = data
        self.replaces = replaces
        self.sealingKey = sealingKey
    }
}

/// What was restored.
package struct RestoreReport: Sendable {
    /// What the backup says of itself.
    package let manifest: BackupManifest
    package let objects: Int
    /// Where the store goes on from.
    package let revision: Int64
    /// The Secrets that no key in the new data directory opens, sorted.
    package let closedSecrets: [ObjectKey]
    /// Where the data directory is now that was there before; nil: there was none.
    package let replaced: String?
}

/// One restore.
package struct BackupRestoring {
    private let options: RestoreOptions
    /// The place of the data directory, absolute, and the directory that becomes it.
    private let target: String
    private let staging: String

    private init(_ options: RestoreOptions) throws(ControlPlaneError) {
        self.options = options
        var path = options.data
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let parent = DurableFile.directory(of: path)
        do throws(ContentError) {
            try DurableFile.createDirectory(parent)
        } catch {
            throw ControlPlaneError("the place for the data directory cannot be made: \(error)")
        }
        guard let resolved = realpath(parent, nil), let name = path.split(separator: "/").last, name != "..",
            name != "."
        else { throw ControlPlaneError("\(options.data) cannot be the new data directory; name another with --data") }
        defer { free(resolved) }
        target = "\(String(cString: resolved))/\(name)"
        // Beside its place, so that it gets there by one rename.
        staging = "\(target).restoring-\(getpid())"
    }

    /// Restores a backup into a directory that does not exist, is empty, or makes way.
    ///
    /// Every byte is compared before anything is in place; where this throws, nothing is there that was not before.
    package static func run(_ options: RestoreOptions) async throws(ControlPlaneError) -> RestoreReport {
        let restoring = try BackupRestoring(options)
        do throws(ControlPlaneError) {
            return try await restoring.run()
        } catch {
            do throws(ContentError) {
                try DurableFile.remove(restoring.staging)
            } catch let leftover {
                throw ControlPlaneError("\(error) (and \(restoring.staging) is left over: \(leftover))")
            }
            throw error
        }
    }

    private func run() async throws(ControlPlaneError) -> RestoreReport {
        let makesWay = try checkTarget()
        let manifest = try unpack()
        let (objects, revision, secrets) = try await openStore()
        let closed = try closedSecrets(secrets)
        let replaced = try putInPlace(makesWay: makesWay)
        return RestoreReport(
            manifest: manifest,
            objects: objects,
            revision: revision,
            closedSecrets: closed,
            replaced: replaced
        )
    }

    /// Whether something is there that must make way; throws where it must not.
    private func checkTarget() throws(ControlPlaneError) -> Bool {
        guard access(target, F_OK) == 0 else { return false }
        let names: [String]
        do throws(ContentError) {
            names = try DurableFile.names(in: target)
        } catch {
            throw ControlPlaneError("\(error). Name another directory with --data")
        }
        guard !names.isEmpty else { return false }
        guard options.replaces else {
            throw ControlPlaneError(
                "\(target) is not empty, and nothing was changed. Name another directory with --data, or give --replace:"
                    + " what is there is then kept under another name"
            )
        }
        // Whoever runs on the directory holds these; both are let go again at once.
        try checkUnlocked("\(target)/store.lock", "a control plane")
        try checkUnlocked("\(target)/node/node.lock", "a node")
        return true
    }

    private func checkUnlocked(_ path: String, _ who: String) throws(ControlPlaneError) {
        let file = open(path, O_RDWR | O_CLOEXEC)
        if file < 0, errno == ENOENT { return }
        defer { close(file) }
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else {
            throw ControlPlaneError("\(who) runs on \(target) (it holds \(path)). Stop it and restore again")
        }
    }

    /// Unpacks into the staging directory; what came is what was backed up when this returns.
    private func unpack() throws(ControlPlaneError) -> BackupManifest {
        do throws(ContentError) {
            try DurableFile.remove(staging)
            try DurableFile.createDirectory(staging, mode: 0o700)
            for place in BackupLayout.directories {
                try DurableFile.createDirectory("\(staging)/\(place)", mode: 0o700)
            }
            let manifest = try BackupReading.read(options.backup) { (path) throws(ContentError) in
                guard BackupLayout.holds(path) else {
                    throw ContentError(.refused, "\(path) has no place in a data directory; this is no backup of ours")
                }
                return "\(staging)/\(path)"
            }
            for entry in manifest.entries {
                guard let digest = BackupLayout.blobDigest(entry.path), digest != entry.digest else { continue }
                throw ContentError(.corrupted, "\(entry.path) has the digest \(entry.digest); no registry takes it")
            }
            guard manifest.entries.contains(where: { $0.path.description == BackupLayout.store }) else {
                throw ContentError(.refused, "\(options.backup) holds no store; it is no backup of a control plane")
            }
            if let key = options.sealingKey { try install(key) }
            return manifest
        } catch {
            throw ControlPlaneError("the backup cannot be restored, and nothing was changed: \(error)")
        }
    }

    private func install(_ key: String) throws(ContentError) {
        let bytes = try DurableFile.read(key, atMost: 4096)
        try DurableFile.write(bytes, to: "\(staging)/\(BackupLayout.sealingKey)", mode: 0o600)
    }

    /// Begins the store's new history and reads it; the answer is the number of objects, the revision and the Secrets.
    private func openStore() async throws(ControlPlaneError) -> (Int, Int64, [StoreRecord]) {
        do throws(StoreError) {
            try SQLiteStore.beginNewHistory(in: staging)
            let store = try SQLiteStore(directory: staging, clock: SystemClock())
            let snapshot = try await store.snapshot(kinds: nil)
            try store.close()
            let secrets = snapshot.records.filter { $0.key.kind == Secret.kind }
            return (snapshot.records.count, snapshot.revision, secrets)
        } catch {
            throw ControlPlaneError("the store in the backup cannot be used, and nothing was changed: \(error.message)")
        }
    }

    /// The Secrets with a value that the key in the staging directory does not open; all of them where there is none.
    private func closedSecrets(_ records: [StoreRecord]) throws(ControlPlaneError) -> [ObjectKey] {
        let key = "\(staging)/\(BackupLayout.sealingKey)"
        guard access(key, F_OK) == 0 else { return records.map(\.key) }
        let sealing = try KeySealing(keyFile: key, pairs: "\(staging)/\(BackupLayout.sealKeys)")
        return records.filter { record in
            let values = record.value["sealed"]?.object?.members ?? []
            return !values.allSatisfy { opens($0.value.string ?? "", secretOwner(record.key, key: $0.key), sealing) }
        }.map(\.key)
    }

    /// Whether a value opens; why it does not is told in one way, whatever the reason.
    private func opens(_ text: String, _ owner: String, _ sealing: KeySealing) -> Bool {
        do throws(SealingError) {
            _ = try sealing.open(text, for: owner)
            return true
        } catch {
            return false
        }
    }

    /// Renames the staging directory; the answer is where what stood there went.
    private func putInPlace(makesWay: Bool) throws(ControlPlaneError) -> String? {
        var replaced: String?
        if makesWay {
            let place = "\(target).replaced-\(SystemClock().now.milliseconds)"
            guard rename(target, place) == 0 else {
                throw ControlPlaneError("\(target) cannot make way: \(String(cString: strerror(errno)))")
            }
            replaced = place
        }
        guard rename(staging, target) == 0 else {
            let reason = String(cString: strerror(errno))
            // What made way goes back; where even that fails, its new name is in the message.
            if let replaced, rename(replaced, target) != 0 {
                throw ControlPlaneError("\(target) cannot be put in place: \(reason); what was there is \(replaced)")
            }
            throw ControlPlaneError(
                "\(target) cannot be put in place, and nothing was changed: \(reason). A mount point cannot be renamed:"
                    + " name a directory below it"
            )
        }
        do throws(ContentError) {
            try DurableFile.syncDirectory(DurableFile.directory(of: target))
        } catch {
            throw ControlPlaneError("\(target) is restored, but may not outlive a power cut: \(error)")
        }
        return replaced
    }
}
