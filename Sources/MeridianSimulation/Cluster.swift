// Cluster: a control plane with its surroundings, all of it simulated but the loop itself.
import Logging
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import Synchronization

/// The unchanged loop over simulated ports; it dies and is born again as the run says.
final class Cluster {
    let plan: SimulationCase
    let clock = VirtualClock()
    let findings = Findings()
    let gate: EffectGate
    let store: SimulatedStore
    let node: SimulatedNode
    let hand: UserHand
    private let random: SeededRandom
    private let inbox = WorkInbox()
    private(set) var reconciler: Reconciler
    /// Reports on their way to the control plane.
    private(set) var reports: [NodeReport] = []
    private var lastSent: NodeReport?
    /// Times that the control plane was born.
    private(set) var births = 0
    /// Told of everything that happens, for people who look at one run.
    let trace: (String) -> Void

    init(_ plan: SimulationCase, trace: @escaping (String) -> Void) {
        self.plan = plan
        self.trace = trace
        gate = EffectGate(dieAfter: plan.crashAfterEffect)
        store = SimulatedStore(plan, clock: clock, gate: gate, findings: findings)
        let oracle = RoutingOracle(store: store.truth, findings: findings)
        node = SimulatedNode(plan, clock: clock, gate: gate, routing: oracle)
        random = SeededRandom(seed: plan.seed)
        hand = UserHand(store: store.truth, clock: clock, random: SeededRandom(seed: plan.seed &+ 1))
        reconciler = Self.reconciler(store, node, clock, random, inbox)
    }

    private static func reconciler(
        _ store: SimulatedStore,
        _ node: SimulatedNode,
        _ clock: VirtualClock,
        _ random: SeededRandom,
        _ inbox: WorkInbox
    ) -> Reconciler {
        let ports = ExecutorPorts(
            store: store,
            registry: SimulatedRegistry(),
            builder: SimulatedBuilder(),
            nodes: [SimulatedNode.name: node],
            sealing: SimulatedSealing(),
            clock: clock,
            random: random
        )
        return Reconciler(
            ports: ports,
            logger: Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() }),
            start: { inbox.add($0, $1) },
            cancel: { inbox.cancel($0) }
        )
    }

    // MARK: The control plane

    /// One turn of the loop; a control plane that dies of it is reborn.
    ///
    /// - Returns: the plan; nil where the store could not be read.
    func turn() async -> Plan? {
        do throws(StoreError) {
            let (plan, outcomes) = try await reconciler.turn()
            for (planned, outcome) in zip(plan.steps, outcomes) { trace("\(planned.step.words): \(outcome)") }
            if gate.isDead {
                rebirth()
                return nil
            }
            let isHeldBack = plan.waiting.contains { $0.text.hasPrefix("held back") }
            if isHeldBack, self.plan.bug == .failuresForgotten {
                rebirth()
                hear(node.current)
            }
            return plan
        } catch {
            trace("no look: \(error)")
            if gate.isDead { rebirth() }
            return nil
        }
    }

    /// The control plane dies, with the work in its process, and the next one is born.
    func rebirth() {
        trace("the control plane is born again")
        inbox.clear()
        gate.revive()
        node.noteRestart()
        bear()
    }

    private func bear() {
        births += 1
        reconciler = Self.reconciler(store, node, clock, random, inbox)
        lastSent = nil
    }

    /// Work that was cancelled ends all the same, some time.
    func keepCancelledWork() { inbox.keepsCancelled = true }

    var pendingWorks: Int { inbox.count }

    /// Ends one piece of pending work.
    func endWork(_ index: Int) async {
        guard let job = inbox.take(index) else { return }
        let result = await job.executor.perform(job.work) { _, _ in }
        trace("work on \(job.work.subject) of \(job.work.uid) ends")
        let successor = inbox.latest(job.work.subject)
        if plan.bug == .resultsByName, let successor {
            reconciler.finish(successor, result)
        } else {
            reconciler.finish(job.work, result)
        }
        if gate.isDead { rebirth() }
    }

    // MARK: Reports

    /// The node sends a report where it has news.
    func sendReport() {
        let report = node.current
        guard report != lastSent else { return }
        lastSent = report
        reports.append(report)
    }

    /// A report arrives.
    ///
    /// - Parameters:
    ///   - index: its place among those on their way.
    ///   - keeps: it will come once more.
    func deliverReport(_ index: Int, keeps: Bool = false) {
        guard reports.indices.contains(index) else { return }
        hear(keeps ? reports[index] : reports.remove(at: index))
    }

    /// A report gets lost.
    func dropReport() { if !reports.isEmpty { reports.removeFirst() } }

    /// The connection to the node breaks: what was on its way is lost, and the next one begins with a report.
    func loseConnection() {
        reports = []
        lastSent = nil
        reconciler.note(nil, of: SimulatedNode.name)
    }

    private func hear(_ report: NodeReport) {
        let runners = report.runners.map { "\($0.id) of \($0.revision) \($0.state)" }
        trace("report: \(report.instance), assignment \(report.assignment), runners \(runners)")
        reconciler.note(report, of: SimulatedNode.name)
        node.noteHeard(report)
    }
}

/// Work that the loop started and that has not ended.
final class WorkInbox: Sendable {
    struct Job: Sendable {
        let work: ActivityWork
        let executor: Executor
    }

    private struct State {
        var jobs: [Job] = []
        var latest: [ObjectKey: ActivityWork] = [:]
        var keepsCancelled = false
    }

    private let state = Mutex(State())

    var keepsCancelled: Bool {
        get { state.withLock { $0.keepsCancelled } }
        set { state.withLock { $0.keepsCancelled = newValue } }
    }

    var count: Int { state.withLock { $0.jobs.count } }

    func add(_ work: ActivityWork, _ executor: Executor) {
        state.withLock { state in
            state.jobs.append(Job(work: work, executor: executor))
            state.latest[work.subject] = work
        }
    }

    func cancel(_ revision: ObjectKey) {
        state.withLock { state in
            if !state.keepsCancelled { state.jobs.removeAll { $0.work.subject == revision } }
        }
    }

    func take(_ index: Int) -> Job? {
        state.withLock { $0.jobs.indices.contains(index) ? $0.jobs.remove(at: index) : nil }
    }

    /// The work that was started last for a revision of this name.
    func latest(_ revision: ObjectKey) -> ActivityWork? { state.withLock { $0.latest[revision] } }

    func clear() { state.withLock { $0.jobs = [] } }
}
