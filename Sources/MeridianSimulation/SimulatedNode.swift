// SimulatedNode: a node that keeps what it is assigned, starts and stops runners, and answers through faults.
import MeridianModel
import MeridianPorts
import Synchronization

/// A node in one value behind a lock; what happens on it happens when the simulation says so.
final class SimulatedNode: NodePort {
    static let name = "local"

    fileprivate struct State {
        var draw: Draw
        var isQuiet = false
        var assignment = NodeAssignment()
        var instance = 1
        var runners: [RunnerReport] = []
        var runnersStarted = 0
        /// Assignments whose senders gave up, that may still arrive.
        var late: [NodeAssignment] = []
        /// Whether it refuses every assignment, and how often that was tried.
        var refuses = false
        var refusals = 0
        /// Numbers below this were used by a control plane of which nothing is known any more.
        var forgotten = 0
        /// The last reports that reached the control plane.
        var heard: [NodeReport] = []
    }

    private let plan: SimulationCase
    private let clock: VirtualClock
    private let gate: EffectGate
    private let routing: RoutingOracle
    private let state: Mutex<State>

    init(_ plan: SimulationCase, clock: VirtualClock, gate: EffectGate, routing: RoutingOracle) {
        self.plan = plan
        self.clock = clock
        self.gate = gate
        self.routing = routing
        state = Mutex(State(draw: Draw(seed: plan.seed &* 17 &+ 3)))
    }

    // MARK: The port

    func assign(_ assignment: NodeAssignment) async throws(NodeError) {
        if gate.isDead { throw Self.died }
        let fate = state.withLock { $0.fate(plan.faults) }
        switch fate {
        case .succeeds, .losesAnswer: try await take(assignment)
        case .fails: break
        case .isLate: state.withLock { $0.late.append(assignment) }
        case .isRefused:
            state.withLock { $0.refusals += 1 }
            throw NodeError(.refused, "there is no disk space")
        }
        if gate.passed() { throw Self.died }
        if fate != .succeeds, plan.bug != .failureIsSuccess { throw NodeError(.unreachable, "no answer in time") }
    }

    func report() async throws(NodeError) -> NodeReport {
        if gate.isDead { throw Self.died }
        return current
    }

    /// Nothing is asked of a simulated edge.
    func measures() async throws(NodeError) -> NodeMeasures {
        if gate.isDead { throw Self.died }
        return NodeMeasures()
    }

    /// The simulation hands reports over itself.
    func reports() -> AsyncThrowingStream<NodeReport, any Error> { AsyncThrowingStream { $0.finish() } }

    func checkPort(
        _ id: String,
        _ template: RunnerTemplate,
        timeout: Duration
    ) async throws(NodeError) -> PortCheckReport {
        let isLost = state.withLock { $0.fate(plan.faults) != .succeeds }
        if isLost { throw NodeError(.unreachable, "no answer in time") }
        var report = PortCheckReport()
        let source = SimulatedSource.number(of: SimulatedSource.source(of: template.bundle))
        report.passed = source < SimulatedSource.checkFails
        report.reason = report.passed ? "Listening" : "ListensNowhere"
        report.message = report.passed ? "" : "source \(source) does not listen"
        report.listening = report.passed ? ["0.0.0.0:8080"] : []
        return report
    }

    private static var died: NodeError { NodeError(.unreachable, "the control plane died") }

    // MARK: What the simulation does with it

    /// What it would report now.
    var current: NodeReport { state.withLock { $0.report(bug: plan.bug) } }

    var assignment: NodeAssignment { state.withLock { $0.assignment } }
    var runners: [RunnerReport] { state.withLock { $0.runners } }
    var refusals: Int { state.withLock { $0.refusals } }

    func setQuiet(_ isQuiet: Bool) { state.withLock { $0.isQuiet = isQuiet } }
    func setRefuses(_ refuses: Bool) { state.withLock { $0.refuses = refuses } }

    /// Notes that a report reached the control plane.
    func noteHeard(_ report: NodeReport) { state.withLock { $0.heard = $0.heard.suffix(2) + [report] } }

    /// A control plane begins that knows nothing of the numbers used before, if that is the bug.
    func noteRestart() { state.withLock { $0.forgotten = $0.assignment.number } }

    /// The process dies with its runners and comes back with what it saved.
    func restart() {
        state.withLock { state in
            state.instance += 1
            state.runners = []
        }
    }

    /// An assignment whose sender gave up arrives.
    func takeLate() async {
        let late = state.withLock { $0.late.isEmpty ? nil : $0.late.removeFirst() }
        guard let late else { return }
        // Nobody waits for the answer, so a refusal is heard by no one.
        do throws(NodeError) { try await take(late) } catch { return }
    }

    /// Keeps every assignment that is superseded for a later repetition, where assignments are reordered.
    private func take(_ assignment: NodeAssignment) async throws(NodeError) {
        let (before, report, heard) = state.withLock { ($0.assignment, $0.report(bug: nil), $0.heard) }
        guard assignment.number > before.number || plan.bug == .olderAssignmentsTaken else {
            if assignment == before { return }
            throw NodeError(.refused, "assignment \(assignment.number) is not newer than \(before.number)")
        }
        await routing.judge(assignment, replacing: before, runners: report, heard: heard)
        state.withLock { state in
            if plan.faults == .reordering, state.draw.chance(30) { state.late.append(before) }
            state.assignment = assignment
        }
    }

    /// One step of its own work, drawn: a runner starts, becomes ready, drains or is gone.
    func work() { state.withLock { $0.work(now: clock.now) } }

    /// Whether there is work of its own left.
    var isIdle: Bool { state.withLock { $0.works.isEmpty } }

    /// A request starts a runner of a routed revision, as far as its maximum lets it.
    func load() {
        state.withLock { state in
            let routed = Set(state.assignment.routes.hosts.flatMap(\.revisions))
            let candidates = state.assignment.revisions.filter { revision in
                routed.contains(revision.key)
                    && state.runners.count { $0.revision == revision.key } < min(revision.runnersMax, 3)
            }
            if let revision = state.draw.pick(candidates) { state.start(revision.key, now: clock.now) }
        }
    }

    /// A runner beyond its revision's minimum is stopped because it is idle.
    func idle() {
        state.withLock { state in
            let floors = Dictionary(
                state.assignment.revisions.map { ($0.key, $0.runnersMin) },
                uniquingKeysWith: { first, _ in first }
            )
            let spare = state.runners.indices.filter { index in
                let key = state.runners[index].revision
                let ready = state.runners.count { $0.revision == key && $0.state == .ready }
                return state.runners[index].state == .ready && ready > floors[key, default: 0]
            }
            if let index = state.draw.pick(spare) { state.runners.remove(at: index) }
        }
    }
}

/// What becomes of a call.
private enum Fate {
    case succeeds
    case fails
    case losesAnswer
    case isLate
    case isRefused
}

/// A piece of a node's own work.
private enum NodeWork {
    case start(String)
    case ready(Int)
    case drain(Int)
    case gone(Int)
}

extension SimulatedNode.State {
    fileprivate mutating func fate(_ faults: FaultClass?) -> Fate {
        if refuses { return .isRefused }
        guard faults == .partialFailure, !isQuiet else { return .succeeds }
        switch draw.below(10) {
        case 0: return .fails
        case 1: return .losesAnswer
        case 2: return .isLate
        default: return .succeeds
        }
    }

    fileprivate func report(bug: DeliberateBug?) -> NodeReport {
        var report = NodeReport()
        report.node = SimulatedNode.name
        report.instance = "instance-\(instance)"
        report.assignment = assignment.number
        if bug == .numbersForgotten, assignment.number <= forgotten { report.assignment = 0 }
        report.routes = report.assignment
        report.runners = runners.sorted { $0.id < $1.id }
        report.protections = ["seccomp": "filter"]
        report.edges = ["127.0.0.1:8080"]
        return report
    }

    fileprivate mutating func start(_ revision: String, now: Timestamp) {
        runnersStarted += 1
        var runner = RunnerReport()
        runner.id = "runner-\(runnersStarted)"
        runner.revision = revision
        runner.pid = runnersStarted
        runner.startedAt = now
        runners.append(runner)
    }

    fileprivate mutating func work(now: Timestamp) {
        guard let work = draw.pick(works) else { return }
        switch work {
        case .start(let revision): start(revision, now: now)
        case .ready(let index): runners[index].state = .ready
        case .drain(let index): runners[index].state = .draining
        case .gone(let index): runners.remove(at: index)
        }
    }

    /// What it has to do by its assignment.
    fileprivate var works: [NodeWork] {
        let assigned = Set(assignment.revisions.map(\.key))
        var works: [NodeWork] = []
        for (index, runner) in runners.enumerated() {
            switch runner.state {
            case .draining: works.append(.gone(index))
            case .starting, .ready, .paused:
                if !assigned.contains(runner.revision) {
                    works.append(.drain(index))
                } else if runner.state == .starting {
                    works.append(.ready(index))
                }
            }
        }
        for revision in assignment.revisions {
            let running = runners.count { $0.revision == revision.key && $0.state != .draining }
            if running < revision.runnersMin { works.append(.start(revision.key)) }
        }
        return works
    }
}
