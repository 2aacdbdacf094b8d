// SQLiteStore+Backup: a copy of the store while it is used, and the beginning of a new history from a copy.
internal import Dispatch
internal import GRDB
package import MeridianPorts

extension SQLiteStore {
    /// Copies the store as it is at one revision to a new file at `path`; the answer is that revision.
    ///
    /// Writes go on meanwhile: the copy is read in one snapshot (sqlite3_backup).
    package func copy(to path: String) async throws(StoreError) -> Int64 {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Int64, StoreError>, Never>) in
            // Copying takes as long as the disk does, which is no work for the few threads of Swift's tasks.
            DispatchQueue.global().async { [pool] in
                continuation.resume(
                    returning: Result { try Self.copy(pool, to: path) }.mapError { .database($0, path) }
                )
            }
        }
        return try result.get()
    }

    private static func copy(_ pool: DatabasePool, to path: String) throws -> Int64 {
        let copy = try DatabaseQueue(path: path)
        try pool.backup(to: copy)
        let revision = try copy.read { db in
            try StoreRows(db: db, cache: ValueCache(revision: 0)).meta().revision
        }
        try copy.close()
        return revision
    }

    /// Makes the copy in `directory` ready to be a store of its own, with a history that begins now.
    ///
    /// Its revision leaps ahead of any that the old store can have reached since the copy, and the history before it is
    /// forgotten: whoever knows a revision of the old store's later life is told `compacted`, now and for good, and no
    /// revision is given twice.
    /// - Throws: as opening does.
    package static func beginNewHistory(in directory: String) throws(StoreError) {
        let path = "\(directory)/store.sqlite"
        let lock = try StoreLock(path: "\(directory)/store.lock", store: path)
        defer { lock.release() }
        do {
            let pool = try opened(path)
            try pool.write { db in
                let rows = StoreRows(db: db, cache: ValueCache(revision: 0))
                var meta = try rows.meta()
                try rows.deleteHistory(through: meta.revision)
                meta.revision += restoredRevisionLeap
                meta.compacted = meta.revision
                try rows.setMeta(meta)
            }
            _ = try pool.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw .database(error, path)
        }
    }

    /// More revisions than a store writes in years (a thousand a second for 34 years), and few enough for millions of
    /// restores.
    static let restoredRevisionLeap: Int64 = 1 << 40
}
