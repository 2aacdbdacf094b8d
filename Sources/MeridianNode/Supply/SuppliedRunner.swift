// SuppliedRunner: one runner as scaling sees it, from the order to start it until it is gone.
package import MeridianModel
internal import MeridianPorts

/// One runner.
struct SuppliedRunner: Sendable {
    /// Where in its life a runner is.
    enum Phase: Sendable, Equatable {
        /// Ordered; has a handle once its process exists.
        case starting(RunnerHandle?)
        /// Ordered, and not wanted any more before its process existed.
        case abandoned
        /// Ready, and the edge may pick it.
        case serving(RunnerHandle)
        /// Ready, but kept from the edge: the load needs fewer. It is back without a start.
        case resting(RunnerHandle)
        /// Ready, kept from the edge, and stopped where it was since then: back at once with its memory.
        case paused(RunnerHandle, since: ContinuousClock.Instant)
        /// Taken from the edge to be stopped.
        case leaving(RunnerHandle, LeavingCause)
        /// Being stopped.
        case stopping
    }

    /// Why a runner leaves.
    enum LeavingCause: Sendable, Equatable {
        /// It had no request for long; a request that comes after all brings it back.
        case idle
        /// It is not wanted any more: it finishes what it has, and is stopped at the deadline whatever it does.
        case replaced(deadline: ContinuousClock.Instant, why: String)
    }

    let order: RunnerOrder
    /// The generation of its revision's settings that it was started with.
    let generation: Int
    let startedAt: ContinuousClock.Instant
    var phase: Phase = .starting(nil)
    /// When it became ready; nil before.
    var readyAt: ContinuousClock.Instant?
    /// Whether its processes are stopped: set with `paused`, and until it was told to go on.
    var isHalted = false
    /// Whether it was paused before it came to the edge last.
    var isResumed = false
    /// Whether every edge loop knows that it must not be picked.
    var isWithdrawn = true

    var id: String { order.id }

    var handle: RunnerHandle? {
        switch phase {
        case .starting(let handle): handle
        case .serving(let handle), .resting(let handle), .leaving(let handle, _), .paused(let handle, _): handle
        case .abandoned, .stopping: nil
        }
    }

    var isStarting: Bool { if case .starting = phase { true } else { false } }
    var isServing: Bool { if case .serving = phase { true } else { false } }
    var isResting: Bool { if case .resting = phase { true } else { false } }
    var isLeaving: Bool { if case .leaving = phase { true } else { false } }

    /// Since when it is paused; nil where it is not.
    var pausedSince: ContinuousClock.Instant? { if case .paused(_, let since) = phase { since } else { nil } }

    /// Whether a request that waits now may hope for it.
    var isUsable: Bool { isStarting || isServing || isResting }

    /// Whether the runner leaves for want of requests, so that a request brings it back.
    var isLeavingIdle: Bool { if case .leaving(_, .idle) = phase { true } else { false } }

    /// How long it has been ready without a request that began or ended.
    func idleTime(_ load: SupplyLoad, at now: ContinuousClock.Instant) -> Duration {
        guard let readyAt, load.inFlight(id) == 0 else { return .zero }
        let sinceReady = now - readyAt
        return min(sinceReady, load.runners[id]?.quietFor ?? sinceReady)
    }

    /// What the node reports of it.
    func report(_ clock: ReportClock) -> RunnerReport {
        var report = RunnerReport()
        report.id = id
        report.revision = order.revision
        report.pid = Int(handle?.pid ?? 0)
        report.startedAt = clock.timestamp(startedAt)
        report.restartNumber = order.restartNumber
        report.state =
            switch phase {
            case .starting: .starting
            case .serving, .resting: .ready
            case .paused: .paused
            case .abandoned, .leaving, .stopping: .draining
            }
        return report
    }
}

/// Turns moments of the monotonic clock into points of the wall clock, the same one for the same moment.
package struct ReportClock: Sendable {
    private let moment: ContinuousClock.Instant
    private let wall: Timestamp

    /// One moment by the monotonic and by the wall clock.
    package init(moment: ContinuousClock.Instant, wall: Timestamp) {
        self.moment = moment
        self.wall = wall
    }

    func timestamp(_ instant: ContinuousClock.Instant) -> Timestamp { wall + (instant - moment) }
}
