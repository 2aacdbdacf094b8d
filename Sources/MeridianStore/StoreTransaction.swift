// StoreTransaction: what a list of operations changes, decided the same way for every store.
internal import MeridianModel
internal import MeridianPorts

/// An object with what the store keeps beside it.
struct StoredObject: Sendable, Equatable {
    var record: StoreRecord
    var lease: LeaseID?
}

/// The net change of one object in one transaction.
struct ObjectChange: Sendable {
    let key: ObjectKey
    let before: StoredObject?
    let after: StoredObject?

    func event(at revision: Int64) -> StoreEvent {
        StoreEvent(revision: revision, key: key, record: after?.record, previous: before?.record)
    }
}

/// Evaluates transactions; writes nothing.
enum StoreTransaction {
    /// The net changes of `operations` in order of first touch, one per object, without those that change nothing.
    ///
    /// Operations see the effects of those before them. Failures of `lookup` and `hasLease` are thrown; what the
    /// operations themselves get wrong is the result's failure: `.conflict` for the first expectation that does not
    /// hold, `.leaseNotFound` for a put under a lease that has ended.
    /// `revision` is what the transaction will have where it changes anything.
    static func changes<Failure: Error>(
        of operations: [StoreOperation],
        revision: Int64,
        hasLease: (LeaseID) throws(Failure) -> Bool,
        lookup: (ObjectKey) throws(Failure) -> StoredObject?
    ) throws(Failure) -> Result<[ObjectChange], StoreError> {
        var before: [ObjectKey: StoredObject?] = [:]
        var now: [ObjectKey: StoredObject?] = [:]
        var order: [ObjectKey] = []
        for operation in operations {
            let (key, expectation) = operation.target
            if before[key] == nil {
                let stored = try lookup(key)
                before[key] = .some(stored)
                now[key] = .some(stored)
                order.append(key)
            }
            let current = now[key] ?? nil
            if let conflict = expectation.conflict(key, current?.record) { return .failure(conflict) }
            switch operation {
            case .check: break
            case .delete: now[key] = .some(nil)
            case .put(_, let value, _, let lease):
                if let lease, try !hasLease(lease) { return .failure(.noLease(lease)) }
                now[key] = current.replaced(key, value, lease: lease, revision: revision)
            }
        }
        return .success(
            order.compactMap { key in
                let (old, new) = (before[key] ?? nil, now[key] ?? nil)
                return old == new ? nil : ObjectChange(key: key, before: old, after: new)
            }
        )
    }
}

extension StoreOperation {
    fileprivate var target: (ObjectKey, StoreExpectation) {
        switch self {
        case .put(let key, _, let expectation, _): (key, expectation)
        case .delete(let key, let expectation): (key, expectation)
        case .check(let key, let expectation): (key, expectation)
        }
    }
}

extension StoreExpectation {
    /// The error where `record`, the object as it is, does not meet the expectation.
    fileprivate func conflict(_ key: ObjectKey, _ record: StoreRecord?) -> StoreError? {
        switch (self, record) {
        case (.any, _), (.absent, nil): nil
        case (.absent, _?): StoreError(.conflict, "\(key) exists already. Read it and update it instead", key: key)
        case (.modRevision(let wanted), let found?) where found.modRevision == wanted: nil
        case (.modRevision(let wanted), let found?):
            StoreError(
                .conflict,
                "\(key) was written at revision \(found.modRevision), not \(wanted)."
                    + " Read it again and retry",
                key: key
            )
        case (.modRevision(let wanted), nil):
            StoreError(.conflict, "\(key), expected at revision \(wanted), is gone. Read again and retry", key: key)
        }
    }
}

extension StoredObject? {
    /// The object after a put: itself where value and lease are equal already.
    fileprivate func replaced(_ key: ObjectKey, _ value: JSONValue, lease: LeaseID?, revision: Int64) -> StoredObject {
        if let old = self, old.record.value == value, old.lease == lease { return old }
        let record = StoreRecord(
            key: key,
            value: value,
            createRevision: self?.record.createRevision ?? revision,
            modRevision: revision
        )
        return StoredObject(record: record, lease: lease)
    }
}

extension StoreError {
    static func noLease(_ lease: LeaseID) -> StoreError {
        StoreError(.leaseNotFound, "lease \(lease.rawValue) has ended. Take a new lease and write again")
    }

    static func compacted(_ after: Int64, through: Int64) -> StoreError {
        StoreError(
            .compacted,
            "the history after revision \(after) is gone (compacted through \(through))."
                + " Take a snapshot and watch after its revision"
        )
    }

    /// A revision that this store has never had: its reader knew another or a newer store.
    static func ahead(_ after: Int64, of revision: Int64) -> StoreError {
        StoreError(
            .compacted,
            "revision \(after) is ahead of the store, which is at \(revision)."
                + " Take a snapshot and watch after its revision"
        )
    }
}
