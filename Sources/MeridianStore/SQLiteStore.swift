// SQLiteStore: the embedded store: SQLite in WAL mode with every commit on the disk before it is answered.
internal import GRDB
internal import Glibc
package import MeridianModel
package import MeridianPorts
internal import Synchronization

/// A durable store in one directory, open in one process at a time.
///
/// Reads are transactional snapshots and never wait for writes. Writes that arrive together share one commit to the
/// disk. A failed write leaves the state as it was.
package final class SQLiteStore: StorePort {
    let pool: DatabasePool
    let feed: WatchFeed
    let cache: ValueCache
    let queue = Mutex(WriteQueue())
    let leases: Mutex<LeaseTable>
    let clock: any ClockPort
    private let lock: StoreLock

    /// Opens the store in `directory`, creating or migrating it where needed.
    ///
    /// Leases live by `clock`; all that the file holds have their whole time again from now.
    /// - Throws: `.unavailable` where another process has it open, the file is damaged or from a newer Meridian, or
    ///   the disk fails.
    package init(directory: String, clock: any ClockPort) throws(StoreError) {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw StoreError(.unavailable, "cannot create \(directory): \(String(cString: strerror(errno)))")
        }
        let path = "\(directory)/store.sqlite"
        lock = try StoreLock(path: "\(directory)/store.lock", store: path)
        do {
            pool = try Self.opened(path)
            let (revision, found) = try pool.read { db in
                let rows = StoreRows(db: db, cache: ValueCache(revision: 0))
                return (try rows.meta().revision, try rows.leases())
            }
            cache = ValueCache(revision: revision)
            feed = WatchFeed(revision: revision)
            var table = LeaseTable()
            for lease in found { table.add(lease.id, timeToLive: lease.timeToLive, now: clock.now) }
            leases = Mutex(table)
        } catch {
            throw .database(error, path)
        }
        self.clock = clock
    }

    deinit { feed.close() }

    /// Ends all watches, waits for running reads and writes and lets go of the file; the store cannot be used any more.
    ///
    /// What the write-ahead log holds goes into the one file first, so that this file alone is a backup.
    package func close() throws(StoreError) {
        queue.withLock { $0.close() }
        feed.close()
        do {
            _ = try pool.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw .database(error, pool.path)
        }
        lock.release()
    }

    package func snapshot(kinds: Set<String>?) async throws(StoreError) -> StoreSnapshot {
        if let unchanged = cache.snapshot(kinds, at: feed.revision) { return unchanged }
        let snapshot = try await read { rows in
            StoreSnapshot(revision: try rows.meta().revision, records: try rows.records(kinds: kinds))
        }
        cache.keep(snapshot, kinds: kinds)
        return snapshot
    }

    package func get(_ key: ObjectKey) async throws(StoreError) -> StoreRecord? {
        if case .known(let record) = cache.current(key) { return record }
        return try await read { rows in try rows.object(key)?.record }
    }

    package func list(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) async throws(StoreError) -> StorePage {
        try await read { rows in
            let revision = try rows.meta().revision
            let page = try rows.page(kind: kind, namespace: namespace, after: after, limit: max(1, limit))
            return StorePage(revision: revision, records: page.records, remaining: page.remaining)
        }
    }

    package func watch(after: Int64, kinds: Set<String>?) -> AsyncThrowingStream<StoreEvent, any Error> {
        StoreWatcher(source: self, feed: feed, after: after, kinds: kinds).stream
    }

    /// Runs `body` on a transactional snapshot.
    private func read<Answer: Sendable>(
        _ body: @escaping @Sendable (StoreRows) throws -> Answer
    ) async throws(StoreError) -> Answer {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Answer, StoreError>, Never>) in
            pool.asyncRead { [cache, path = pool.path] access in
                let result = Result { try body(StoreRows(db: try access.get(), cache: cache)) }
                continuation.resume(returning: result.mapError { .database($0, path) })
            }
        }
        return try result.get()
    }

    /// A pool whose file is whole, migrated and written with full durability.
    static func opened(
        _ path: String,
        _ migrator: DatabaseMigrator = StoreSchema.migrator
    ) throws -> DatabasePool {
        let pool = try checked(path, migrator)
        guard try pool.read({ db in try !migrator.hasCompletedMigrations(db) }) else { return try durable(pool) }
        let isNew = try pool.read { db in try migrator.appliedIdentifiers(db).isEmpty }
        guard !isNew else {
            try migrator.migrate(pool)
            return try durable(pool)
        }
        try pool.close()
        try StoreMigration.run(path, migrator)
        return try durable(try checked(path, migrator))
    }

    /// A pool of a file that is whole and of no newer Meridian.
    private static func checked(_ path: String, _ migrator: DatabaseMigrator) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "MeridianStore"
        configuration.maximumReaderCount = readersMax
        configuration.busyMode = .timeout(busySeconds)
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.read { db in
            let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
            guard verdict == "ok" else {
                throw StoreError(.unavailable, "\(path) is damaged (\(verdict ?? "no verdict")): \(restoreAdvice)")
            }
            guard try !migrator.hasBeenSuperseded(db) else {
                throw StoreError(
                    .unavailable,
                    "\(path) was written by a newer Meridian. Run that version, or one that is newer still"
                )
            }
        }
        return pool
    }

    /// The pool, once each of its commits is on the disk before it is answered.
    private static func durable(_ pool: DatabasePool) throws -> DatabasePool {
        // DatabasePool resets what a configuration sets to NORMAL, with which a power cut can undo commits.
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(journalBytesKept)")
        }
        let level = try pool.unsafeReentrantWrite { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
        guard level == synchronousFull else {
            throw StoreError(
                .unavailable,
                "\(pool.path): SQLite did not accept synchronous=FULL (it has \(level ?? -1))"
            )
        }
        return pool
    }

    /// As many reads at once as help on a small machine; the others wait.
    private static let readersMax = 4
    /// Nobody else writes; a backup tool may hold the file for a moment.
    private static let busySeconds = 5.0
    /// What stays of the write-ahead log after a burst.
    private static let journalBytesKept = 64 << 20
    /// The value that `PRAGMA synchronous` has for FULL.
    static let synchronousFull = 2
}

extension SQLiteStore: StoreHistory {
    func history(after: Int64, kinds: Set<String>?) async throws(StoreError) -> HistoryPage {
        try await read { rows in try rows.history(after: after, kinds: kinds) }
    }
}

extension StoreError {
    /// A failure of SQLite in words, with the next step.
    static func database(_ error: any Error, _ path: String) -> StoreError {
        if let known = error as? StoreError { return known }
        guard let failure = error as? DatabaseError else { return StoreError(.unavailable, "\(path): \(error)") }
        let next =
            switch failure.resultCode {
            case .SQLITE_FULL: "the disk is full. Free space and try again; nothing was changed"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: "the file is damaged: \(restoreAdvice)"
            case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM:
                "the file cannot be written. Check its owner, its permissions and the mount; nothing was changed"
            case .SQLITE_IOERR: "the disk failed. Check the kernel's log; nothing was changed"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another program holds the file. Close it and try again"
            default: "nothing was changed"
            }
        return StoreError(.unavailable, "\(path): \(failure.message ?? "SQLite \(failure.resultCode)"): \(next)")
    }
}
