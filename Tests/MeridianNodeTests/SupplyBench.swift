// SupplyBench: a node without a machine: virtual time, an edge and a sandbox that do at once what they are told.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode

/// Drives a `SupplyState` and checks after every action what must always hold.
struct SupplyBench {
    var state: SupplyState
    var now = ContinuousClock.now
    /// Requests in flight by runner.
    var inFlight: [String: Int] = [:]
    var parked: [String: Int] = [:]
    /// The runners that the edge picks from, by revision.
    var edge: [String: [String]] = [:]
    private(set) var started: [RunnerOrder] = []
    private(set) var stopped: [String] = []
    /// The empty sandboxes that are wanted.
    private(set) var shells: [SandboxShape: Int] = [:]
    /// Runners whose processes are stopped where they are.
    private(set) var paused: Set<String> = []
    /// The runners that the edge was told to call warm, by revision.
    private(set) var resumed: [String: Set<String>] = [:]
    private(set) var failed: [String: String] = [:]
    /// Processes that exist or are being started.
    private(set) var alive: Set<String> = []
    /// What the next starts come to; nil: they succeed at once.
    var startFailure: String?
    /// Starts stay under way until `finishStarts` while false.
    var startsAtOnce = true
    /// Publications stay under way until `finishPublications` while false.
    var publishesAtOnce = true
    private(set) var waitingStarts: [RunnerOrder] = []
    private var waitingPublications: [String] = []
    private var lastActivity: [String: ContinuousClock.Instant] = [:]
    private var handles: [String: RunnerHandle] = [:]
    private var queue: [SupplyEvent] = []

    init(seed: UInt64 = 1) {
        state = SupplyState(
            seed: seed,
            clock: ReportClock(moment: now, wall: Timestamp(milliseconds: 1_000_000))
        )
    }

    /// The load as the edge would measure it now.
    var load: SupplyLoad {
        var load = SupplyLoad(parked: parked)
        for runner in alive {
            let quiet = lastActivity[runner].map { now - $0 }
            load.runners[runner] = SupplyLoad.Runner(inFlight: inFlight[runner] ?? 0, quietFor: quiet)
        }
        return load
    }

    /// Hands over an event and all that follow from it at once.
    mutating func send(_ event: SupplyEvent) {
        queue.append(event)
        var steps = 0
        while !queue.isEmpty {
            steps += 1
            guard steps < 10_000 else {
                Issue.record("events cause events without end")
                return
            }
            for action in state.handle(queue.removeFirst(), load: load, at: now) { perform(action) }
        }
    }

    /// Lets time pass with the ticks that the state asks for.
    mutating func pass(_ duration: Duration, each: (inout SupplyBench) -> Void = { _ in }) {
        let end = now + duration
        while let wake = state.nextWake(after: now), wake <= end {
            now = max(wake, now + .milliseconds(1))
            each(&self)
            send(.ticked)
        }
        now = max(now, end)
    }

    /// Puts `concurrency` requests on the revision's runners as an edge would: evenly, at most `cap` each, the rest waits.
    mutating func offer(_ concurrency: Int, to revision: String, cap: Int) {
        let runners = edge[revision] ?? []
        for runner in runners { inFlight[runner] = 0 }
        for index in 0..<min(concurrency, runners.count * cap) {
            let runner = runners[index % runners.count]
            inFlight[runner, default: 0] += 1
            lastActivity[runner] = now
        }
        let waiting = max(0, concurrency - runners.count * cap)
        parked[revision] = waiting
        if waiting > 0 { send(.demanded(revision: revision)) }
    }

    /// Notes that a request began or ended on the runner now.
    mutating func touch(_ runner: String) { lastActivity[runner] = now }

    mutating func finishStarts() {
        let orders = waitingStarts
        waitingStarts = []
        for order in orders { finish(order) }
        send(.ticked)
    }

    mutating func finishPublications() {
        let revisions = waitingPublications
        waitingPublications = []
        for revision in revisions { send(.published(revision: revision)) }
    }

    mutating func crash(_ runner: String, _ message: String = "exited with code 3") {
        alive.remove(runner)
        inFlight[runner] = nil
        send(.exited(RunnerExit(id: runner, cause: .code(3), message: message)))
    }

    private mutating func perform(_ action: SupplyAction) {
        switch action {
        case .start(let order, _):
            #expect(!alive.contains(order.id), "two runners of one id")
            started.append(order)
            alive.insert(order.id)
            startsAtOnce ? finish(order) : waitingStarts.append(order)
        case .pause(let handle, _):
            #expect((inFlight[handle.id] ?? 0) == 0, "paused with a request in flight")
            #expect(!edge.values.contains { $0.contains(handle.id) }, "paused while the edge could pick it")
            paused.insert(handle.id)
        case .resume(let handle, _):
            #expect(paused.remove(handle.id) != nil, "resumed though not paused")
        case .publish(let revision, let runners, let resumed, _):
            #expect(paused.isDisjoint(with: runners.map(\.id)), "the edge is told of a runner that is paused")
            edge[revision] = runners.map(\.id)
            self.resumed[revision] = resumed
            publishesAtOnce ? queue.append(.published(revision: revision)) : waitingPublications.append(revision)
        case .fail(let revision, let message):
            failed[revision] = message
            parked[revision] = 0
        case .stop(let handle, _, let why):
            #expect((inFlight[handle.id] ?? 0) == 0 || why.contains("took longer"), "a request was cut: \(why)")
            #expect(!edge.values.contains { $0.contains(handle.id) }, "stopped while the edge could pick it")
            stopped.append(handle.id)
            paused.remove(handle.id)
            alive.remove(handle.id)
            inFlight[handle.id] = nil
            queue.append(.stopped(id: handle.id))
        case .keepReady(let counts):
            shells = counts
        }
    }

    private mutating func finish(_ order: RunnerOrder) {
        if let startFailure {
            alive.remove(order.id)
            queue.append(.startFailed(id: order.id, message: startFailure))
            return
        }
        let handle = RunnerHandle(id: order.id, pid: 1, networkNamespace: -1, port: 1)
        queue.append(.spawned(handle))
        queue.append(.becameReady(id: order.id))
    }
}

/// A revision's order with the numbers that a test cares about.
func order(
    _ key: String = "default/web-00001",
    min: Int = 0,
    max: Int = 10,
    target: Int = 50,
    idleAfter: Duration = .seconds(60),
    restart: Int = 0,
    executable: String = "server",
    standby: Standby = .stop
) -> RevisionOrder {
    var assignment = RevisionAssignment()
    assignment.key = key
    assignment.app = "default/web"
    assignment.runnersMin = min
    assignment.runnersMax = max
    assignment.targetConcurrency = target
    assignment.idleAfter = idleAfter
    assignment.standby = standby
    assignment.restartNumber = restart
    assignment.template.executable = executable
    return RevisionOrder(assignment, requestTimeoutMax: .seconds(30))
}

let web = "default/web-00001"
