// MemoryStore: the store without a disk, for simulations and tests; it starts no task and owns no timer.
package import MeridianModel
package import MeridianPorts
internal import Synchronization

/// A store in memory that behaves as `SQLiteStore` does, except that nothing outlives it.
///
/// Deterministic: the same calls in the same order give the same answers and the same order of wake-ups.
package final class MemoryStore: StorePort {
    fileprivate struct State {
        var objects: [ObjectKey: StoredObject] = [:]
        var history: [StoreEvent] = []
        var revision: Int64 = 0
        var compacted: Int64 = 0
        var leases = LeaseTable()
        var lastLease: Int64 = 0
    }

    private let state = Mutex(State())
    let feed = WatchFeed(revision: 0)
    private let clock: any ClockPort

    /// An empty store at revision 0 whose leases live by `clock`.
    package init(clock: any ClockPort) { self.clock = clock }

    deinit { feed.close() }

    package func snapshot(kinds: Set<String>?) async throws(StoreError) -> StoreSnapshot {
        state.withLock { state in
            let chosen = state.objects.values.filter { kinds?.contains($0.record.key.kind) ?? true }
            return StoreSnapshot(revision: state.revision, records: chosen.map(\.record).sorted { $0.key < $1.key })
        }
    }

    package func get(_ key: ObjectKey) async throws(StoreError) -> StoreRecord? {
        state.withLock { $0.objects[key]?.record }
    }

    package func list(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) async throws(StoreError) -> StorePage {
        state.withLock { state in
            let records = state.objects.values.map(\.record).filter { record in
                record.key.kind == kind && (namespace.map { $0 == record.key.namespace } ?? true)
                    && (after.map { record.key > $0 } ?? true)
            }
            let page = records.sorted { $0.key < $1.key }.prefix(max(1, limit))
            return StorePage(
                revision: state.revision,
                records: Array(page),
                remaining: records.count - page.count
            )
        }
    }

    @discardableResult
    package func commit(_ operations: [StoreOperation]) async throws(StoreError) -> Int64 {
        try StoreBounds.check(operations)
        return try write { (state) throws(StoreError) in
            try StoreTransaction.changes(
                of: operations,
                revision: state.revision + 1,
                hasLease: { state.leases.contains($0) },
                lookup: { state.objects[$0] }
            ).get()
        }
    }

    package func watch(after: Int64, kinds: Set<String>?) -> AsyncThrowingStream<StoreEvent, any Error> {
        StoreWatcher(source: self, feed: feed, after: after, kinds: kinds).stream
    }

    package func compact(through revision: Int64) async throws(StoreError) {
        state.withLock { state in state.compact(through: min(revision, state.revision)) }
    }

    package func grantLease(timeToLive: Duration) async throws(StoreError) -> LeaseID {
        state.withLock { state in
            state.lastLease += 1
            let id = LeaseID(rawValue: state.lastLease)
            state.leases.add(id, timeToLive: timeToLive, now: clock.now)
            return id
        }
    }

    package func renewLease(_ lease: LeaseID) async throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in try state.leases.renew(lease, now: clock.now) }
    }

    package func revokeLease(_ lease: LeaseID) async throws(StoreError) {
        _ = try write { (state) throws(StoreError) in
            guard state.leases.contains(lease) else { throw .noLease(lease) }
            return state.end([lease])
        }
    }

    package func expireLeases() async throws(StoreError) {
        _ = try write { (state) throws(StoreError) in state.end(state.leases.ended(by: clock.now)) }
    }

    /// Applies the changes that `decide` finds, as one transaction where there are any; the answer is the revision.
    private func write(
        _ decide: (inout State) throws(StoreError) -> [ObjectChange]
    ) throws(StoreError) -> Int64 {
        // Publishing under the lock keeps the feed in commit order; it takes no lock of ours.
        try state.withLock { (state) throws(StoreError) in
            let changes = try decide(&state)
            guard !changes.isEmpty else { return state.revision }
            state.revision += 1
            let events = changes.map { $0.event(at: state.revision) }
            for change in changes { state.objects[change.key] = change.after }
            state.history += events
            let excess = state.revision - state.compacted - StoreBounds.historyRevisionsKept
            if excess > StoreBounds.historyRevisionsSlack {
                state.compact(through: state.revision - StoreBounds.historyRevisionsKept)
            }
            feed.publish(events, revision: state.revision)
            return state.revision
        }
    }
}

extension MemoryStore: StoreHistory {
    func history(after: Int64, kinds: Set<String>?) async throws(StoreError) -> HistoryPage {
        try state.withLock { (state) throws(StoreError) in
            guard after >= state.compacted else { throw .compacted(after, through: state.compacted) }
            guard after <= state.revision else { throw .ahead(after, of: state.revision) }
            let start = state.history.partition(after: after)
            let events = state.history[start...].filter { kinds?.contains($0.key.kind) ?? true }
            return HistoryPage(events: events, through: state.revision)
        }
    }
}

extension MemoryStore.State {
    fileprivate mutating func compact(through revision: Int64) {
        guard revision > compacted else { return }
        history.removeFirst(history.partition(after: revision))
        compacted = revision
    }

    /// Ends leases; the answer is what happens to the objects attached to them.
    fileprivate mutating func end(_ ended: [LeaseID]) -> [ObjectChange] {
        leases.remove(ended)
        let attached = objects.filter { $0.value.lease.map(ended.contains) ?? false }
        return attached.sorted { $0.key < $1.key }.map { ObjectChange(key: $0.key, before: $0.value, after: nil) }
    }
}

extension [StoreEvent] {
    /// The index of the first event after `revision`.
    fileprivate func partition(after revision: Int64) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].revision > revision { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
