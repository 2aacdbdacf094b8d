// ValueCache: parsed objects and whole snapshots, so that reading what has not changed parses nothing.
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// Parsed values by key and the revision that wrote them; never older or newer than what was asked for.
final class ValueCache: Sendable {
    fileprivate struct Entry {
        let record: StoreRecord
        /// Whether a write left the object so; a reader may have seen one that is gone by now.
        let isPublished: Bool
    }

    fileprivate struct State {
        var entries: [ObjectKey: Entry] = [:]
        var snapshots: [Set<String>?: StoreSnapshot] = [:]
        /// Kinds all of whose objects are in `entries`, as the last published write left them.
        var completeKinds: Set<String> = []
        /// Whether that holds for every kind.
        var isComplete = false
        /// The revision of the last published write.
        var revision: Int64 = 0

        mutating func keep(_ entry: Entry) {
            if entries.count >= valuesMax {
                entries = [:]
                completeKinds = []
                isComplete = false
            }
            entries[entry.record.key] = entry
        }
    }

    private let state: Mutex<State>

    /// A cache beside a store whose last write was `revision`.
    init(revision: Int64) { state = Mutex(State(revision: revision)) }

    /// Beyond this the cache starts over: it serves thousands of objects, not a whole world's.
    fileprivate static let valuesMax = 100_000
    /// The sets of kinds that the control loop and the API ask for.
    private static let snapshotsMax = 8

    /// The value that `modRevision` wrote under `key`.
    func value(_ key: ObjectKey, _ modRevision: Int64) -> JSONValue? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.record.modRevision == modRevision else { return nil }
            return entry.record.value
        }
    }

    /// What is known of an object without reading it.
    enum Knowledge {
        /// As the last published write left it; nil: there is none.
        case known(StoreRecord?)
        case unknown
    }

    /// The object as the last published write left it, where that is kept.
    func current(_ key: ObjectKey) -> Knowledge {
        state.withLock { state in
            guard let entry = state.entries[key] else {
                return state.isComplete || state.completeKinds.contains(key.kind) ? .known(nil) : .unknown
            }
            return entry.isPublished ? .known(entry.record) : .unknown
        }
    }

    /// Keeps a value unless a later one is kept already.
    func keep(_ record: StoreRecord) {
        state.withLock { state in
            if let known = state.entries[record.key], known.record.modRevision >= record.modRevision { return }
            state.keep(Entry(record: record, isPublished: false))
        }
    }

    /// Keeps what writes left, in the order of writes, and forgets what they deleted; `revision` is the store's after them.
    func publish(_ events: [StoreEvent], revision: Int64) {
        state.withLock { state in
            for event in events {
                if let record = event.record {
                    state.keep(Entry(record: record, isPublished: true))
                } else {
                    state.entries[event.key] = nil
                }
            }
            state.revision = revision
        }
    }

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
            state.complete(snapshot, kinds)
        }
    }
}

extension ValueCache.State {
    /// Takes a snapshot for all that there is of its kinds, unless a write was published since it was taken.
    fileprivate mutating func complete(_ snapshot: StoreSnapshot, _ kinds: Set<String>?) {
        let count = entries.count + snapshot.records.count
        guard snapshot.revision == revision, count < ValueCache.valuesMax, !isComplete else { return }
        guard kinds.map({ !$0.isSubset(of: completeKinds) }) ?? true else { return }
        for record in snapshot.records { keep(ValueCache.Entry(record: record, isPublished: true)) }
        if let kinds { completeKinds.formUnion(kinds) } else { isComplete = true }
    }
}
