// ValueCache: parsed objects and whole snapshots, so that reading what has not changed parses nothing.
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// Parsed values by key and the revision that wrote them; never older or newer than what was asked for.
final class ValueCache: Sendable {
    private struct State {
        var values: [ObjectKey: (modRevision: Int64, value: JSONValue)] = [:]
        var snapshots: [Set<String>?: StoreSnapshot] = [:]
    }

    private let state = Mutex(State())

    /// Beyond this the cache starts over: it serves thousands of objects, not a whole world's.
    private static let valuesMax = 100_000
    /// The sets of kinds that the control loop and the API ask for.
    private static let snapshotsMax = 8

    /// The value that `modRevision` wrote under `key`.
    func value(_ key: ObjectKey, _ modRevision: Int64) -> JSONValue? {
        state.withLock { state in
            guard let entry = state.values[key], entry.modRevision == modRevision else { return nil }
            return entry.value
        }
    }

    /// Keeps a value unless a later one is kept already.
    func keep(_ record: StoreRecord) {
        state.withLock { state in
            if let entry = state.values[record.key], entry.modRevision >= record.modRevision { return }
            if state.values.count >= Self.valuesMax { state.values = [:] }
            state.values[record.key] = (record.modRevision, record.value)
        }
    }

    /// Forgets a deleted object.
    func forget(_ key: ObjectKey) { state.withLock { $0.values[key] = nil } }

    /// The snapshot of `kinds` where it was taken at `revision`.
    func snapshot(_ kinds: Set<String>?, at revision: Int64) -> StoreSnapshot? {
        state.withLock { state in
            guard let snapshot = state.snapshots[kinds], snapshot.revision == revision else { return nil }
            return snapshot
        }
    }

    /// Keeps a snapshot, and no older ones beside it.
    func keep(_ snapshot: StoreSnapshot, kinds: Set<String>?) {
        state.withLock { state in
            if state.snapshots.count >= Self.snapshotsMax { state.snapshots = [:] }
            state.snapshots[kinds] = snapshot
        }
    }
}
