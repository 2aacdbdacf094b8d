// LoopState: what the loop knows beside the store: nodes, work under way, objects held back.
package import MeridianModel
import MeridianPlanning
import Synchronization

/// What the loop knows beside the store; lost with the process and found again by looking.
package final class LoopState: Sendable {
    private struct State {
        var nodeViews: [String: NodeView]
        var activities: [ObjectKey: Activity] = [:]
        var failures: [ObjectKey: Failure] = [:]
    }

    private struct Failure {
        var count: Int
        var until: Timestamp
    }

    private let state: Mutex<State>

    /// The state at start: every node is known by name, and none has said anything.
    package init(nodes: [String]) {
        let views = Dictionary(nodes.map { ($0, NodeView()) }, uniquingKeysWith: { first, _ in first })
        state = Mutex(State(nodeViews: views))
    }

    /// Adds what is known here to a world that was read from the store.
    func complete(_ world: inout World) {
        state.withLock { state in
            world.nodeViews = state.nodeViews
            world.activities = state.activities
            world.heldBack = state.failures.mapValues(\.until).filter { $0.value > world.now }
        }
    }

    /// Notes what a node said, or that it does not answer (nil); answers whether that is news.
    package func noteReport(_ report: NodeReport?, of node: String) -> Bool {
        state.withLock { state in
            let isNews = state.nodeViews[node]?.report != report
            state.nodeViews[node, default: NodeView()].report = report
            return isNews
        }
    }

    /// Notes that a node took an assignment, and with it what it will report.
    func noteAssigned(_ assignment: NodeAssignment, to node: String) {
        state.withLock { state in
            state.nodeViews[node, default: NodeView()].assigned = assignment
            state.nodeViews[node]?.report?.assignment = assignment.number
        }
    }

    /// Notes the beginning of work on a revision; false where some is under way or waits to be settled.
    func begin(_ activity: Activity, on revision: ObjectKey) -> Bool {
        state.withLock { state in
            guard state.activities[revision] == nil else { return false }
            state.activities[revision] = activity
            return true
        }
    }

    /// Notes how work on a revision ended; work that was forgotten meanwhile stays forgotten.
    func end(_ revision: ObjectKey, _ result: ActivityResult) {
        state.withLock { state in
            guard state.activities[revision] != nil else { return }
            state.activities[revision] = .ended(result)
        }
    }

    /// Forgets the work on a revision: its result is written, or nobody waits for it any more.
    func forget(_ revision: ObjectKey) { state.withLock { $0.activities[revision] = nil } }

    /// Forgets the results for revisions that are gone.
    func forgetResults(except revisions: Set<ObjectKey>) {
        state.withLock { state in
            state.activities = state.activities.filter { key, activity in
                if case .ended = activity { revisions.contains(key) } else { true }
            }
        }
    }

    /// Notes that a step for an object failed: it is held back, longer with each failure in a row.
    func noteFailure(of subject: ObjectKey, now: Timestamp) -> Int {
        state.withLock { state in
            let count = (state.failures[subject]?.count ?? 0) + 1
            state.failures[subject] = Failure(count: count, until: now + retryDelay(afterFailures: count))
            return count
        }
    }

    /// Notes that a step for an object succeeded.
    func noteSuccess(of subject: ObjectKey) { state.withLock { $0.failures[subject] = nil } }
}
