// DemandBox: demand of the edge's loop threads on its way to the runner supply.
internal import Synchronization

/// Collects which revisions requests wait for; any thread may add, one task takes.
///
/// It holds a revision once, however often it is asked for, so that it never has more entries than routes have revisions.
package final class DemandBox: Sendable {
    private let pending = Mutex<Set<String>>([])
    private let bell: AsyncStream<Void>.Continuation
    /// Rings when something was added since the last taking; one ring may stand for many.
    package let rings: AsyncStream<Void>

    package init() { (rings, bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// Notes that requests wait for a runner of the revision; never blocks for long.
    package func add(_ revision: String) {
        let isNew = pending.withLock { $0.insert(revision).inserted }
        if isNew { bell.yield() }
    }

    /// Takes out everything, sorted.
    package func take() -> [String] {
        pending.withLock { pending in
            defer { pending.removeAll(keepingCapacity: true) }
            return pending.sorted()
        }
    }
}
