// ValueCache: parsed objects and whole snapshots, so that reading what has not changed parses nothing.
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// Parsed values by key and the revision that wrote them; never older or newer than what was asked for.
final class ValueCache: Sendable {
    private struct Entry {
        let record: StoreRecord
        /// Whether a write left the object so; a reader may have seen one that is gone by now.
        let isPublished: Bool
    }

    private struct State {
        var entries: [ObjectKey: Entry] = [:]
        var snapshots: [Set<String>?: StoreSnapshot] = [:]

        mutating func keep(_ entry: Entry) {
            if entries.count >= valuesMax { entries = [:] }
            entries[entry.record.key] = entry
        }
    }

    private let state = Mutex(State())

    /// Beyond this the cache starts over: it serves thousands of objects, not a whole world's.
    private static let valuesMax = 100_000
    /// The sets of kinds that the control loop and the API ask for.
    private static let snapshotsMax = 8

    /// The value that `modRevision` wrote under `key`.
    func value(_ key: ObjectKey, _ modRevision: Int64) -> JSONValue? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.record.modRevision == modRevision else { return nil }
            return entry.record.value
        }
    }

    /// The object as the last published write left it, where that is kept; nil says nothing.
    func current(_ key: ObjectKey) -> StoreRecord? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.isPublished else { return nil }
            return entry.record
        }
    }

    /// Keeps a value unless a later one is kept already.
    func keep(_ record: StoreRecord) {
        state.withLock { state in
            if let known = state.entries[record.key], known.record.modRevision >= record.modRevision { return }
            state.keep(Entry(record: record, isPublished: false))
        }
    }

    /// Keeps what a write left, in the order of writes.
    func publish(_ record: StoreRecord) {
        state.withLock { $0.keep(Entry(record: record, isPublished: true)) }
    }

    /// Forgets a deleted object.
    func forget(_ key: ObjectKey) { state.withLock { $0.entries[key] = nil } }

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
