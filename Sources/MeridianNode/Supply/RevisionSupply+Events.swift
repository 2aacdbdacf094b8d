// RevisionSupply+Events: what an event about one runner changes.
internal import MeridianModel
internal import MeridianPorts

extension RevisionSupply {
    mutating func noteSpawned(_ index: Int, _ handle: RunnerHandle) -> [SupplyAction] {
        switch runners[index].phase {
        case .starting:
            runners[index].phase = .starting(handle)
            return []
        case .abandoned:
            return [stop(index, handle, "not wanted any more when it had started")]
        case .serving, .resting, .paused, .leaving, .stopping:
            return []
        }
    }

    mutating func noteReady(_ index: Int, at now: ContinuousClock.Instant) -> [SupplyAction] {
        guard case .starting(.some) = runners[index].phase else { return [] }
        runners[index].readyAt = now
        serve(index)
        return []
    }

    /// A runner whose process exists is stopped; otherwise nothing is left of it.
    mutating func noteStartFailed(
        _ index: Int,
        _ message: String,
        at now: ContinuousClock.Instant
    ) -> [SupplyAction] {
        switch runners[index].phase {
        case .starting(let handle):
            noteFailure(index, message, at: now)
            guard let handle else { break }
            return [stop(index, handle, "it did not become ready")]
        case .abandoned:
            break
        case .serving, .resting, .paused, .leaving, .stopping:
            return []  // it is being stopped, which makes waiting for its readiness fail
        }
        runners.remove(at: index)
        return []
    }

    /// A runner that ends while it leaves or is paused is no failure: it had nothing to do.
    mutating func noteExited(_ index: Int, _ exit: RunnerExit, at now: ContinuousClock.Instant) -> [SupplyAction] {
        switch runners[index].phase {
        case .starting, .serving, .resting:
            noteFailure(index, exit.message, at: now)
        case .abandoned, .leaving, .paused:
            break
        case .stopping:
            return []  // `stopped` follows
        }
        runners.remove(at: index)
        return []
    }

    mutating func noteStopped(_ index: Int) -> [SupplyAction] {
        guard runners[index].phase == .stopping else { return [] }
        runners.remove(at: index)
        return []
    }

    mutating func noteWholePublication() {
        publication.isUnderWay = false
        noteWithdrawn()
    }

    /// Why another runner is started, for the log.
    func startReason(at now: ContinuousClock.Instant) -> String {
        if replacing > 0 { return "replaces a runner with older settings" }
        if parked > 0 || isDemanded { return "requests wait: \(parked), in flight: \(inFlight)" }
        if usable < order?.assignment.runnersMin ?? 0 { return "fewer runners than the least" }
        return "requests in flight: \(inFlight)"
    }

    private mutating func noteFailure(_ index: Int, _ message: String, at now: ContinuousClock.Instant) {
        guard isFresh(runners[index]) else { return }
        backoff.failed(message, startedAt: runners[index].startedAt, at: now)
    }
}
