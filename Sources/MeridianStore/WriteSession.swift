// WriteSession: several writes inside one SQLite transaction, each with its own revision and its own verdict.
internal import GRDB
internal import MeridianModel
internal import MeridianPorts

/// Performs writes one after another; a write that is refused leaves no trace among the others.
struct WriteSession {
    private let rows: StoreRows
    private let metaBefore: StoreRows.Meta
    private(set) var meta: StoreRows.Meta
    /// What was changed so far, in commit order.
    private(set) var events: [StoreEvent] = []
    private(set) var leasesAdded: [(id: LeaseID, timeToLive: Duration)] = []
    private(set) var leasesEnded: [LeaseID] = []

    init(_ rows: StoreRows) throws {
        self.rows = rows
        metaBefore = try rows.meta()
        meta = metaBefore
    }

    /// Whether the transaction holds anything to keep.
    var isDirty: Bool { meta != metaBefore || !leasesEnded.isEmpty }

    /// Performs one write.
    ///
    /// What the write itself gets wrong is the answer's failure; a failing database is thrown.
    mutating func perform(_ request: WriteRequest) throws -> WriteAnswer {
        switch request {
        case .commit(let operations):
            let evaluated = try StoreTransaction.changes(
                of: operations,
                revision: meta.revision + 1,
                hasLease: rows.hasLease,
                lookup: rows.object
            )
            switch evaluated {
            case .failure(let error): return .failure(error)
            case .success(let changes): try apply(changes)
            }
        case .compact(let revision):
            try compact(through: min(revision, meta.revision))
        case .grantLease(let timeToLive):
            meta.lastLease += 1
            let lease = LeaseID(rawValue: meta.lastLease)
            try rows.addLease(lease, timeToLive: timeToLive)
            leasesAdded.append((lease, timeToLive))
            return .success(lease.rawValue)
        case .endLeases(let leases):
            try end(leases)
        }
        return .success(meta.revision)
    }

    /// Writes the counters, and forgets old history where there is enough of it.
    mutating func finish() throws {
        let excess = meta.revision - meta.compacted - StoreBounds.historyRevisionsKept
        if excess > StoreBounds.historyRevisionsSlack {
            try compact(through: meta.revision - StoreBounds.historyRevisionsKept)
        }
        if meta != metaBefore { try rows.setMeta(meta) }
    }

    private mutating func apply(_ changes: [ObjectChange]) throws {
        guard !changes.isEmpty else { return }
        meta.revision += 1
        for (position, change) in changes.enumerated() {
            try rows.write(change, at: meta.revision, position: position)
            events.append(change.event(at: meta.revision))
        }
    }

    private mutating func compact(through revision: Int64) throws {
        guard revision > meta.compacted else { return }
        try rows.deleteHistory(through: revision)
        meta.compacted = revision
    }

    private mutating func end(_ leases: [LeaseID]) throws {
        var changes: [ObjectChange] = []
        for lease in leases {
            let attached = try rows.objects(under: lease)
            changes += attached.map { ObjectChange(key: $0.record.key, before: $0, after: nil) }
            try rows.deleteLease(lease)
        }
        leasesEnded += leases
        try apply(changes.sorted { $0.key < $1.key })
    }
}
