// LoopState: what the loop knows beside the store: nodes, work under way, objects held back.
package import MeridianModel
import MeridianPlanning
import Synchronization

/// What the loop knows beside the store; lost with the process and found again by looking.
package final class LoopState: Sendable {
    private struct State {
        var nodeViews: [String: NodeView]
        var works: [ObjectKey: Work] = [:]
        var failures: [ObjectKey: Failure] = [:]
        var unopenable: Set<String> = []
        var revision: Int64 = 0
        var git = GitMemory()
    }

    /// Work for one revision of all that ever had its name.
    private struct Work {
        let uid: String
        var activity: Activity
    }

    private struct Failure {
        /// Failures in a row.
        var count = 0
        /// Conflicts in a row.
        var conflicts = 0
        /// Held back until then; nil: not held back.
        var until: Timestamp?
        /// The generation that failed; another one is tried at once.
        var generation: Int?
    }

    /// Conflicts in a row are no failure, since the next plan knows better; so many are one, or the loop would spin.
    private static let conflictsMax = 16

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
            world.activities = state.works.filter { world.revisions[$0.key.path]?.object.metadata.uid == $0.value.uid }
                .mapValues(\.activity)
            world.heldBack = state.failures.filter { key, failure in
                failure.generation == nil || failure.generation == world.generation(of: key)
            }.compactMapValues(\.until).filter { $0.value > world.now }
            world.unopenable = state.unopenable
            world.gitViews = state.git.views { world.uid(of: $0) }
        }
    }

    // MARK: The store

    /// The newest revision of the store that was read or written.
    var revision: Int64 { state.withLock { $0.revision } }

    /// Notes a revision that was read or written.
    func noteRevision(_ revision: Int64) { state.withLock { $0.revision = max($0.revision, revision) } }

    // MARK: Nodes

    /// Notes what a node said, or that it does not answer (nil); answers whether that is news.
    package func noteReport(_ report: NodeReport?, of node: String) -> Bool {
        state.withLock { state in
            let before = state.nodeViews[node]
            state.nodeViews[node, default: NodeView()].report = report
            state.nodeViews[node]?.isSilent = report == nil
            return before?.report != report || before?.isSilent != (report == nil)
        }
    }

    /// Notes that an assignment is about to be handed to a node, whatever will be heard of it; answers the instance of
    /// the node that it is meant for.
    func noteTried(_ assignment: NodeAssignment, on node: String) -> String? {
        state.withLock { state in
            state.nodeViews[node, default: NodeView()].numberTried = assignment.number
            return state.nodeViews[node]?.report?.instance
        }
    }

    /// Notes that a node took an assignment; its report will say so too, and what became of its runners.
    func noteAssigned(_ assignment: NodeAssignment, to node: String, instance: String?) {
        state.withLock { state in
            state.nodeViews[node, default: NodeView()].assigned = assignment
            state.nodeViews[node]?.assignedInstance = instance
        }
    }

    /// Notes a sealed text that does not open.
    func noteUnopenable(_ text: String) { state.withLock { _ = $0.unopenable.insert(text) } }

    // MARK: Work

    /// Notes the beginning of work on a revision; false where some is under way or waits to be settled.
    func begin(_ activity: Activity, on revision: ObjectKey, uid: String) -> Bool {
        state.withLock { state in
            guard state.works[revision]?.uid != uid else { return false }
            state.works[revision] = Work(uid: uid, activity: activity)
            return true
        }
    }

    /// Notes how work on a revision ended; work that was forgotten meanwhile stays forgotten.
    ///
    /// `uid`: of the revision that the work was for; another one of its name takes nothing from it.
    func end(_ revision: ObjectKey, uid: String, _ result: ActivityResult) {
        state.withLock { state in
            guard let work = state.works[revision], work.uid == uid else { return }
            state.works[revision]?.activity = .ended(result)
        }
    }

    /// Forgets the work on a revision: its result is written, or nobody waits for it any more.
    func forget(_ revision: ObjectKey) {
        state.withLock { state in
            state.works[revision] = nil
            state.git.settle(revision)
        }
    }

    /// Forgets the work for revisions that are gone; answers those whose work is still under way.
    ///
    /// `uids`: of the revisions that there are.
    func forgetWork(except uids: [ObjectKey: String]) -> [ObjectKey] {
        state.withLock { state in
            let gone = state.works.filter { uids[$0.key] != $0.value.uid }
            for key in gone.keys { state.works[key] = nil }
            return gone.filter { if case .ended = $0.value.activity { false } else { true } }.keys.sorted()
        }
    }

    // MARK: Repositories

    /// Notes the beginning of a look at a repository; false where one is under way.
    func beginLook(_ look: GitLook) -> Bool { state.withLock { $0.git.begin(look) } }

    /// Notes how a look ended.
    func endLook(_ look: GitLook, _ result: GitLookResult, now: Timestamp) {
        state.withLock { $0.git.end(look, result, now: now) }
    }

    /// Notes that a push to the repository of an object was announced; false where nothing is known of it.
    func announcePush(to subject: ObjectKey) -> Bool { state.withLock { $0.git.announce(subject) } }

    /// Notes how the writes of a commit's objects went.
    func noteGitWrites(_ writes: [ObjectKey: GitWriteOutcome], of source: Fence) {
        state.withLock { $0.git.note(writes, of: source) }
    }

    /// Failed writes of one object in a row.
    func gitWriteFailures(of key: ObjectKey, by source: Fence) -> Int {
        state.withLock { $0.git.failures(of: key, by: source) }
    }

    /// Forgets the repositories of objects that are gone; answers those that are being looked at.
    func forgetRepositories(in world: World) -> [ObjectKey] { state.withLock { $0.git.forget { world.uid(of: $0) } } }

    // MARK: Failures

    /// Notes that a step for an object failed: it is held back, longer with each failure in a row.
    func noteFailure(of subject: ObjectKey, in world: World, now: Timestamp) -> Int {
        state.withLock { state in
            var failure = state.failures[subject] ?? Failure()
            failure.count += 1
            failure.conflicts = 0
            failure.until = now + retryDelay(afterFailures: failure.count)
            failure.generation = world.generation(of: subject)
            state.failures[subject] = failure
            return failure.count
        }
    }

    /// Notes that a step for an object met a conflict; answers whether that is to be taken as a failure.
    func noteConflict(of subject: ObjectKey) -> Bool {
        state.withLock { state in
            state.failures[subject, default: Failure()].conflicts += 1
            return state.failures[subject, default: Failure()].conflicts > Self.conflictsMax
        }
    }

    /// Notes that every step for an object succeeded.
    func noteSuccess(of subject: ObjectKey) { state.withLock { $0.failures[subject] = nil } }

    /// Forgets the failures of objects that are gone and not held back any more.
    func forgetFailures(of world: World) {
        state.withLock { state in
            guard !state.failures.isEmpty else { return }
            state.failures = state.failures.filter { key, failure in
                world.generation(of: key) != nil || (failure.until.map { $0 > world.now } ?? false)
            }
        }
    }
}

extension World {
    /// The generation of an object; nil where it is not there.
    fileprivate func generation(of key: ObjectKey) -> Int? { object(key)?.metadata.generation }

    /// The uid of an object; nil where it is not there.
    fileprivate func uid(of key: ObjectKey) -> String? { object(key)?.metadata.uid }
}
