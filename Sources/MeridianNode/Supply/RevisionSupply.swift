// RevisionSupply: the runners of one revision on this node and what is known of its load.
internal import MeridianModel
internal import MeridianPorts

/// One revision's runners; all decisions about it that need no other revision.
struct RevisionSupply: Sendable {
    /// The set of runners that the edge has, or is being told.
    struct Publication: Sendable {
        var ids: [String] = []
        var concurrencyMax = 0
        /// Whether some loop may not have taken it yet.
        var isUnderWay = false
    }

    /// Ten minutes: who comes back later hardly notices a cold start more, and the memory is of use to others.
    static let pauseMax: Duration = .seconds(600)

    let key: String
    /// Nil: the node has to get rid of the revision's runners.
    private(set) var order: RevisionOrder?
    /// Rises with every change that needs new runners.
    private(set) var generation = 0
    /// How long a runner that is not wanted any more may finish what it has.
    private(set) var drainMax: Duration = .zero
    /// Runners in the order of their start.
    var runners: [SuppliedRunner] = []
    var backoff = StartBackoff()
    var publication = Publication()
    /// How many runners served when the present generation began: as many new ones are ready before the last goes.
    var replacing = 0
    /// Whether a request asked for a runner since the last decision.
    var isDemanded = false
    /// The waiting requests at the last measurement.
    private(set) var parked = 0
    /// The requests in flight at the last measurement, on runners that may get more.
    private(set) var inFlight = 0
    /// Whether anything waited or was in flight, on whichever runner, at the last measurement.
    private(set) var isBusy = false
    private(set) var window = LoadWindow()

    init(key: String) { self.key = key }

    /// Takes what the control plane wants now; nil: nothing.
    mutating func assign(_ new: RevisionOrder?) {
        let isSame = new.map { $0.assignment.startsLike(order?.assignment) } ?? false
        order = new
        if let new { drainMax = max(new.requestTimeoutMax, drainMax) }
        guard !isSame else { return }
        generation += 1
        backoff = StartBackoff()
        let ready = runners.count { $0.isServing || $0.isResting }
        replacing = min(ready, new?.assignment.runnersMax ?? 0)
    }

    /// Takes back all that was wanted, and lets no runner finish.
    mutating func shutDown() {
        assign(nil)
        drainMax = .zero
    }

    /// Whether nothing is left to do or to remember.
    var isGone: Bool { order == nil && runners.isEmpty && !publication.isUnderWay && publication.ids.isEmpty }

    /// Runners of the present generation that serve, rest or start.
    var usable: Int { runners.count { isFresh($0) && $0.isUsable } }

    /// Whether the runner was started with the present settings.
    func isFresh(_ runner: SuppliedRunner) -> Bool { order != nil && runner.generation == generation }

    mutating func measure(_ load: SupplyLoad, at now: ContinuousClock.Instant) {
        parked = load.parked[key] ?? 0
        inFlight = runners.reduce(0) { $0 + ($1.isUsable || $1.isLeavingIdle ? load.inFlight($1.id) : 0) }
        isBusy = parked > 0 || runners.contains { load.inFlight($0.id) > 0 }
        if runners.isEmpty, parked == 0 {
            window = LoadWindow()
        } else {
            window.record(inFlight + parked, at: now)
        }
        let isProven = runners.contains { runner in
            isFresh(runner) && runner.readyAt.map { now - $0 >= StartBackoff.provenAfter } ?? false
        }
        if isProven { backoff = StartBackoff() }
    }

    /// How many runners of the present generation there should be.
    ///
    /// Waiting requests count at once. Requests in flight count by their mean, so that a flash starts nothing.
    var wanted: Int {
        guard let assignment = order?.assignment else { return 0 }
        let concurrency = parked > 0 ? inFlight + parked : window.mean
        let needed = max(runnersFor(concurrency), isDemanded ? 1 : 0)
        return min(assignment.runnersMax, max(assignment.runnersMin, needed, replacing))
    }

    /// The runners that serve `concurrency` requests at the target.
    func runnersFor(_ concurrency: Int) -> Int {
        let perRunner = max(1, order?.assignment.targetConcurrency ?? 1)
        return (concurrency + perRunner - 1) / perRunner
    }

    /// How many starts are due now.
    ///
    /// A revision whose runners fail gets one at a time until one of them is ready.
    func missing(at now: ContinuousClock.Instant) -> Int {
        guard order != nil, !backoff.isWaiting(at: now) else { return 0 }
        let missing = max(0, wanted - usable)
        let isProven = runners.contains { isFresh($0) && ($0.isServing || $0.isResting) }
        guard backoff.failures > 0, !isProven else { return missing }
        return runners.contains { isFresh($0) && $0.isStarting } ? 0 : min(1, missing)
    }
}

extension RevisionAssignment {
    /// Whether runners that were started for `other` serve this assignment as well.
    fileprivate func startsLike(_ other: RevisionAssignment?) -> Bool {
        guard let other else { return false }
        return template == other.template && restartNumber <= other.restartNumber
    }
}
