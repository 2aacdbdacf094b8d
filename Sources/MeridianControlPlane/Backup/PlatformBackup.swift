// PlatformBackup: gathers what a data directory must not lose: store, registry, audit log and, where asked, keys.
import Glibc
import MeridianContent
import MeridianModel
import MeridianPorts
import MeridianRegistry
import MeridianStore
import Synchronization

/// Backs up a running control plane.
///
/// Not in a backup is what comes again by itself: mirrors of repositories, caches and logs of builds, the node's state.
final class PlatformBackup: BackupPort {
    private let directory: DataDirectory
    private let store: SQLiteStore
    private let registry: DirectoryRegistry
    private let clock: any ClockPort
    private let version: String
    private let isBusy = Mutex(false)

    init(
        _ directory: DataDirectory,
        store: SQLiteStore,
        registry: DirectoryRegistry,
        clock: any ClockPort,
        version: String
    ) {
        self.directory = directory
        self.store = store
        self.registry = registry
        self.clock = clock
        self.version = version
    }

    func backup(withKeys: Bool) async throws(BackendError) -> BlobBytes {
        let turn = try BackupTurn(of: self, in: directory)
        do {
            let revision = try await store.copy(to: turn.storeCopy)
            let (blobs, damaged) = try await blobs()
            let items =
                try [item(BackupLayout.store, turn.storeCopy)] + auditLogs() + blobs
                + files(in: [BackupLayout.sealKeys] + (withKeys ? BackupLayout.keyDirectories : []))
            let facts = BackupManifest.Facts(
                version: version,
                createdAt: clock.now,
                revision: revision,
                hasKeys: withKeys,
                damaged: damaged
            )
            return BackupBytes(facts: facts, items: items, owner: turn)
        } catch {
            throw BackendError(.unavailable, "the backup cannot be made: \(error)")
        }
    }

    /// Every blob whose bytes are right, and the digests of those that are damaged, which are set aside by looking.
    ///
    /// They are listed after the store was copied, so that what the copy refers to is among them; being asked for, they
    /// are not collected as garbage while the backup is read.
    private func blobs() async throws -> ([BackupItem], damaged: [Digest]) {
        var items: [BackupItem] = []
        var damaged: [Digest] = []
        for digest in try await registry.list() where await registry.contains(digest) {
            do throws(RegistryError) {
                let file = try await registry.file(digest)
                items.append(BackupItem(path: try path(BackupLayout.blob(digest)), source: file, digest: digest))
            } catch {
                guard error.code == .corrupted else { throw error }
                damaged.append(digest)
            }
        }
        return (items, damaged)
    }

    private func auditLogs() throws -> [BackupItem] {
        try DurableFile.names(in: directory.path).filter(BackupLayout.isAuditLog).map {
            try item($0, "\(directory.path)/\($0)")
        }
    }

    private func files(in places: [String]) throws -> [BackupItem] {
        var items: [BackupItem] = []
        for place in places where access("\(directory.path)/\(place)", F_OK) == 0 {
            for name in try DurableFile.names(in: "\(directory.path)/\(place)") where !name.hasSuffix(".tmp") {
                items.append(try item("\(place)/\(name)", "\(directory.path)/\(place)/\(name)"))
            }
        }
        return items
    }

    private func item(_ name: String, _ source: String) throws -> BackupItem {
        BackupItem(path: try TarPath(name), source: source)
    }

    private func path(_ name: String) throws(RegistryError) -> TarPath {
        do throws(ContentError) { return try TarPath(name) } catch { throw RegistryError(.refused, error.message) }
    }

    fileprivate func begin() -> Bool {
        isBusy.withLock { isBusy in
            defer { isBusy = true }
            return !isBusy
        }
    }

    fileprivate func end() { isBusy.withLock { $0 = false } }
}

/// One backup's turn: the directory that its copy of the store lies in, which goes with it.
private final class BackupTurn: Sendable {
    private let owner: PlatformBackup
    private let directory: String

    var storeCopy: String { "\(directory)/store.sqlite" }

    /// Begins a turn; what a backup that was killed left behind goes first.
    init(of owner: PlatformBackup, in data: DataDirectory) throws(BackendError) {
        // One at a time: each needs room for a copy of the store, and two make neither faster.
        guard owner.begin() else {
            throw BackendError(.unavailable, "another backup is being made; try again when it has ended")
        }
        self.owner = owner
        directory = data.backup
        do throws(ContentError) {
            try DurableFile.remove(directory)
            try DurableFile.createDirectory(directory, mode: 0o700)
        } catch {
            // Every field is set, so that `deinit` follows and ends the turn.
            throw BackendError(.unavailable, "the backup cannot be made: \(error)")
        }
    }

    deinit {
        do throws(ContentError) {
            try DurableFile.remove(directory)
        } catch {
            // The next backup, or the next start, removes it; until then it takes room and does no harm.
        }
        owner.end()
    }
}
