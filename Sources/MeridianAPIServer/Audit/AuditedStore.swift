// AuditedStore: a store whose writes by a part of the platform are told in the audit log, where a person would ask for them.
package import MeridianModel
package import MeridianPorts

/// Hands everything on to another store, and records what changed of apps, revisions and everything that people declare.
///
/// Statuses, Runners, Nodes and Events change all the time by what happens; they are not told.
package struct AuditedStore: StorePort {
    private let store: any StorePort
    private let caller: Caller
    private let audit: any AuditPort
    private let clock: any ClockPort
    private let random: any RandomPort

    /// `part` is the part of the platform that writes: it is `system:PART` in the log.
    package init(
        _ store: any StorePort,
        part: String,
        audit: any AuditPort,
        clock: any ClockPort,
        random: any RandomPort
    ) {
        self.store = store
        caller = .platform(part)
        self.audit = audit
        self.clock = clock
        self.random = random
    }

    package func snapshot(kinds: Set<String>?) async throws(StoreError) -> StoreSnapshot {
        try await store.snapshot(kinds: kinds)
    }

    package func get(_ key: ObjectKey) async throws(StoreError) -> StoreRecord? { try await store.get(key) }

    package func list(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) async throws(StoreError) -> StorePage {
        try await store.list(kind: kind, namespace: namespace, after: after, limit: limit)
    }

    @discardableResult
    package func commit(_ operations: [StoreOperation]) async throws(StoreError) -> Int64 {
        let received = clock.now
        let before = try await told(operations)
        let revision = try await store.commit(operations)
        for change in before { record(change, at: revision, since: received) }
        return revision
    }

    package func commitEach(_ transactions: [[StoreOperation]]) async -> [Result<Int64, StoreError>] {
        let received = clock.now
        var before: [[Change]] = []
        for operations in transactions {
            do throws(StoreError) {
                before.append(try await told(operations))
            } catch {
                // A store that cannot be read refuses the write as well, which is then nothing to tell of.
                before.append([])
            }
        }
        let answers = await store.commitEach(transactions)
        for (changes, answer) in zip(before, answers) {
            guard case .success(let revision) = answer else { continue }
            for change in changes { record(change, at: revision, since: received) }
        }
        return answers
    }

    package func watch(after: Int64, kinds: Set<String>?) -> AsyncThrowingStream<StoreEvent, any Error> {
        store.watch(after: after, kinds: kinds)
    }

    package func compact(through revision: Int64) async throws(StoreError) {
        try await store.compact(through: revision)
    }

    package func grantLease(timeToLive: Duration) async throws(StoreError) -> LeaseID {
        try await store.grantLease(timeToLive: timeToLive)
    }

    package func renewLease(_ lease: LeaseID) async throws(StoreError) { try await store.renewLease(lease) }

    package func revokeLease(_ lease: LeaseID) async throws(StoreError) { try await store.revokeLease(lease) }

    package func expireLeases() async throws(StoreError) { try await store.expireLeases() }
}

extension AuditedStore {
    /// A write that is to be told once it happened.
    private struct Change {
        let kind: Kind
        let key: ObjectKey
        let before: JSONValue?
        let after: JSONValue?

        private func isEnding(_ object: JSONValue?) -> Bool { object?["metadata"]?["deletionTimestamp"] != nil }

        var verb: String {
            if after == nil || (isEnding(after) && !isEnding(before)) { return "delete" }
            return before == nil ? "create" : "update"
        }
    }

    /// The changes among `operations` that are told.
    private func told(_ operations: [StoreOperation]) async throws(StoreError) -> [Change] {
        var changes: [Change] = []
        for operation in operations {
            let (key, after): (ObjectKey, JSONValue?)
            switch operation {
            case .check: continue
            case .put(let target, let value, _, _): (key, after) = (target, value)
            case .delete(let target, _): (key, after) = (target, nil)
            }
            guard let kind = Kind.named(key.kind), kind.isDeclared || key.kind == RevisionSpec.kind else { continue }
            let before = try await store.get(key)?.value
            if let before, let after, before.withoutStatus == after.withoutStatus { continue }
            if before == nil, after == nil { continue }
            changes.append(Change(kind: kind, key: key, before: before, after: after))
        }
        return changes
    }

    private func record(_ change: Change, at revision: Int64, since received: Timestamp) {
        let trail = AuditTrail()
        trail.admit(caller)
        trail.add(change.key, from: change.before, to: change.after, at: revision)
        let target = AccessRequest.ResourceTarget(
            group: change.kind.group,
            resource: change.kind.plural,
            namespace: change.key.namespace,
            name: change.key.name
        )
        audit.record(
            AuditEntry(
                id: random.uuid(),
                request: AccessRequest(change.verb, .resource(target)),
                trail: trail,
                code: 200,
                received: received,
                answered: clock.now
            ).json
        )
    }
}

extension JSONValue {
    fileprivate var withoutStatus: JSONValue {
        guard case .object(var object) = self else { return self }
        object["status"] = nil
        return .object(object)
    }
}
