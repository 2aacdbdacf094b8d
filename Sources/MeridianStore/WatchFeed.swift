// WatchFeed: the latest events in memory, and the watchers that wait for the next one.
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// A ring of the last `storeWatchBufferMax` events of a store.
///
/// Watchers pull: each keeps a place in the ring and costs nothing while its reader is away, so an abandoned watch
/// needs no cleaning up. Publishing is O(events + waiting watchers).
final class WatchFeed: Sendable {
    /// What a watcher finds at its place.
    enum Outcome: Sendable {
        /// The next event that it asked for, and its new place.
        case event(StoreEvent, next: Int)
        /// Events that it asked for have left the ring.
        case overflow
        /// The waiting task was cancelled, or the store was closed.
        case ended
    }

    fileprivate struct Parked {
        let kinds: Set<String>?
        let continuation: CheckedContinuation<Outcome, Never>
    }

    fileprivate struct State {
        /// The event of sequence number s is at s % capacity.
        var ring: [StoreEvent] = []
        /// The sequence number that the next event gets.
        var end = 0
        /// All events after this revision are in the ring.
        var coveredAfter: Int64
        var revision: Int64
        /// For each kind the sequence number after its last event that left the ring.
        var leftBefore: [String: Int] = [:]
        var parked: [Int: Parked] = [:]
        var nextID = 0
        var isClosed = false
    }

    private let state: Mutex<State>
    private let capacity: Int

    /// A feed that knows all events after `revision`: none yet.
    init(revision: Int64, capacity: Int = storeWatchBufferMax) {
        self.capacity = capacity
        state = Mutex(State(coveredAfter: revision, revision: revision))
    }

    /// The last published revision.
    var revision: Int64 { state.withLock { $0.revision } }

    /// Adds the events of one or more transactions, in order; wakes those who wait for them.
    func publish(_ events: [StoreEvent], revision: Int64) {
        let woken = state.withLock { state in
            let start = state.end
            for event in events { state.append(event, capacity: capacity) }
            state.revision = revision
            return state.unpark(published: start..<state.end, capacity: capacity)
        }
        for (continuation, outcome) in woken { continuation.resume(returning: outcome) }
    }

    /// The place of the first event after `revision`; nil where the ring does not go back so far.
    func join(after revision: Int64) -> Int? {
        state.withLock { state -> Int? in
            guard revision >= state.coveredAfter else { return nil }
            var (low, high) = (state.first(capacity), state.end)
            while low < high {
                let middle = (low + high) / 2
                if state.ring[middle % capacity].revision > revision { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }

    /// The first event of `kinds` at or after the place `sequence`, waiting for it where there is none yet.
    func next(from sequence: Int, kinds: Set<String>?) async -> Outcome {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome = state.withLock { state -> Outcome? in
                    if let found = state.find(from: sequence, kinds: kinds, capacity: capacity) { return found }
                    if state.isClosed || Task.isCancelled { return .ended }
                    state.parked[id] = Parked(kinds: kinds, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            state.withLock { $0.parked.removeValue(forKey: id) }?.continuation.resume(returning: .ended)
        }
    }

    /// Ends every waiting watch, and those that come to wait later.
    func close() {
        let parked = state.withLock { state in
            state.isClosed = true
            let parked = state.parked.values.map(\.continuation)
            state.parked = [:]
            return parked
        }
        for continuation in parked { continuation.resume(returning: .ended) }
    }

    /// Watchers that wait now; for tests of clean-up.
    var waiting: Int { state.withLock { $0.parked.count } }
}

extension WatchFeed.State {
    fileprivate func first(_ capacity: Int) -> Int { max(0, end - capacity) }

    fileprivate mutating func append(_ event: StoreEvent, capacity: Int) {
        if ring.count < capacity {
            ring.append(event)
        } else {
            let old = ring[end % capacity]
            coveredAfter = max(coveredAfter, old.revision)
            leftBefore[old.key.kind] = end - capacity + 1
            ring[end % capacity] = event
        }
        end += 1
    }

    fileprivate func find(from sequence: Int, kinds: Set<String>?, capacity: Int) -> WatchFeed.Outcome? {
        let first = first(capacity)
        if sequence < first {
            let lost = leftBefore.contains { (kinds?.contains($0.key) ?? true) && $0.value > sequence }
            if lost { return .overflow }
        }
        for place in max(sequence, first)..<max(sequence, end) {
            let event = ring[place % capacity]
            if kinds?.contains(event.key.kind) ?? true { return .event(event, next: place + 1) }
        }
        return nil
    }

    /// Takes those out of the waiting who want one of the events just published.
    fileprivate mutating func unpark(
        published: Range<Int>,
        capacity: Int
    ) -> [(CheckedContinuation<WatchFeed.Outcome, Never>, WatchFeed.Outcome)] {
        var woken: [(CheckedContinuation<WatchFeed.Outcome, Never>, WatchFeed.Outcome)] = []
        // In order of arrival, so that a simulation runs the same way each time.
        for id in parked.keys.sorted() {
            guard let waiter = parked[id],
                let outcome = find(from: published.lowerBound, kinds: waiter.kinds, capacity: capacity)
            else { continue }
            parked.removeValue(forKey: id)
            woken.append((waiter.continuation, outcome))
        }
        return woken
    }
}
