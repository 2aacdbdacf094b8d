// SQLiteStore+Writing: commits, compaction and leases, all through the one writer.
internal import GRDB
package import MeridianPorts
internal import Synchronization

extension SQLiteStore {
    @discardableResult
    package func commit(_ operations: [StoreOperation]) async throws(StoreError) -> Int64 {
        try StoreBounds.check(operations)
        return try await write(.commit(operations))
    }

    package func commitEach(_ transactions: [[StoreOperation]]) async -> [Result<Int64, StoreError>] {
        guard !transactions.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let answers = WriteAnswers(count: transactions.count) { continuation.resume(returning: $0) }
            var writes: [PendingWrite] = []
            for (index, operations) in transactions.enumerated() {
                do throws(StoreError) {
                    try StoreBounds.check(operations)
                    writes.append(PendingWrite(request: .commit(operations)) { answers.set($0, at: index) })
                } catch {
                    answers.set(.failure(error), at: index)
                }
            }
            enqueue(writes)
        }
    }

    package func compact(through revision: Int64) async throws(StoreError) {
        _ = try await write(.compact(through: revision))
    }

    package func grantLease(timeToLive: Duration) async throws(StoreError) -> LeaseID {
        LeaseID(rawValue: try await write(.grantLease(timeToLive: timeToLive)))
    }

    package func renewLease(_ lease: LeaseID) async throws(StoreError) {
        try leases.withLock { (table) throws(StoreError) in try table.renew(lease, now: clock.now) }
    }

    package func revokeLease(_ lease: LeaseID) async throws(StoreError) {
        guard leases.withLock({ $0.contains(lease) }) else { throw .noLease(lease) }
        _ = try await write(.endLeases([lease]))
    }

    package func expireLeases() async throws(StoreError) {
        let ended = leases.withLock { $0.ended(by: clock.now) }
        // A lease whose time is over cannot be renewed, so it is still over when the writer comes to it.
        if !ended.isEmpty { _ = try await write(.endLeases(ended)) }
    }

    /// Queues a write and waits for its answer.
    private func write(_ request: WriteRequest) async throws(StoreError) -> Int64 {
        let answer = await withCheckedContinuation { continuation in
            enqueue([PendingWrite(request: request) { continuation.resume(returning: $0) }])
        }
        return try answer.get()
    }

    /// Queues writes beside each other, so that they come to the disk together where they can.
    private func enqueue(_ writes: [PendingWrite]) {
        let actions = queue.withLock { queue in writes.map { queue.add($0) } }
        for (write, action) in zip(writes, actions) {
            switch action {
            case .wait: break
            case .refuse(let error): write.answer(.failure(error))
            case .startWriter: pool.asyncWriteWithoutTransaction { [self] db in drain(db) }
            }
        }
    }

    /// Writes batch after batch until nobody waits; runs on the writer's own thread.
    private func drain(_ db: Database) {
        while true {
            let batch = queue.withLock { $0.takeBatch() }
            if batch.isEmpty { return }
            let answers = perform(batch.map(\.request), db)
            for (write, answer) in zip(batch, answers) { write.answer(answer) }
        }
    }

    /// Performs a batch as one SQLite transaction; where that fails, nothing of the batch has happened.
    private func perform(_ requests: [WriteRequest], _ db: Database) -> [WriteAnswer] {
        do {
            var answers: [WriteAnswer] = []
            var finished: WriteSession?
            try db.inTransaction(.immediate) {
                var session = try WriteSession(StoreRows(db: db, cache: cache))
                answers = try requests.map { try session.perform($0) }
                try session.finish()
                finished = session
                return session.isDirty ? .commit : .rollback
            }
            if let finished, finished.isDirty { publish(finished) }
            return answers
        } catch {
            let failure = StoreError.database(error, pool.path)
            return requests.map { _ in .failure(failure) }
        }
    }

    /// Makes a committed transaction known; readers may have seen it already, waiting writers have not.
    private func publish(_ session: WriteSession) {
        cache.publish(session.events, revision: session.meta.revision)
        leases.withLock { table in
            for lease in session.leasesAdded { table.add(lease.id, timeToLive: lease.timeToLive, now: clock.now) }
            table.remove(session.leasesEnded)
        }
        feed.publish(session.events, revision: session.meta.revision)
    }
}
