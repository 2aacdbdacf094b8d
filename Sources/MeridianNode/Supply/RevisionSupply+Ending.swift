// RevisionSupply+Ending: stopping runners that may go, telling the edge, and answering requests that wait in vain.
internal import MeridianModel
internal import MeridianPorts

extension RevisionSupply {
    /// The actions that follow from where the runners are now.
    mutating func conclude(_ load: SupplyLoad, at now: ContinuousClock.Instant) -> [SupplyAction] {
        isDemanded = false
        return stopUnwantedStarts() + stopLeaving(load, at: now) + endPauses(at: now) + publish()
            + failHopeless(at: now)
    }

    /// Lets runners go on that serve again, before the edge hears of them, and stops those that were paused for too long
    /// or for old settings.
    private mutating func endPauses(at now: ContinuousClock.Instant) -> [SupplyAction] {
        var actions: [SupplyAction] = []
        for index in runners.indices where runners[index].isHalted {
            if case .paused(let handle, let since) = runners[index].phase {
                let isOver = now - since >= Self.pauseMax
                guard isOver || !isFresh(runners[index]) || order?.assignment.standby != .pause else { continue }
                actions.append(stop(index, handle, isOver ? "paused for \(Self.pauseMax.text)" : "not wanted any more"))
            } else if let handle = runners[index].handle {
                runners[index].isHalted = false
                actions.append(.resume(handle, why: startReason(at: now)))
            }
        }
        return actions
    }

    /// Stops the runner that has been paused for the longest.
    mutating func stopLongestPaused() -> [SupplyAction] {
        let paused = runners.indices.compactMap { index in runners[index].pausedSince.map { (index, $0) } }
        guard let index = paused.min(by: { $0.1 < $1.1 })?.0, let handle = runners[index].handle else { return [] }
        return [stop(index, handle, "more runners are paused than this node keeps")]
    }

    /// A runner that starts with old settings is of no use to anybody.
    private mutating func stopUnwantedStarts() -> [SupplyAction] {
        var actions: [SupplyAction] = []
        for index in runners.indices where !isFresh(runners[index]) {
            guard case .starting(let handle) = runners[index].phase else { continue }
            runners[index].phase = .abandoned
            if let handle { actions.append(stop(index, handle, "not wanted any more while it started")) }
        }
        return actions
    }

    /// Stops runners that the edge has let go and that have nothing in flight; one that got a request after all is back.
    private mutating func stopLeaving(_ load: SupplyLoad, at now: ContinuousClock.Instant) -> [SupplyAction] {
        var actions: [SupplyAction] = []
        for index in runners.indices where runners[index].isWithdrawn {
            guard case .leaving(let handle, let cause) = runners[index].phase else { continue }
            let isFree = load.inFlight(runners[index].id) == 0
            switch cause {
            case .idle where isFree && isFresh(runners[index]) && order?.assignment.standby == .pause:
                runners[index].phase = .paused(handle, since: now)
                runners[index].isHalted = true
                actions.append(.pause(handle, why: "no request for \(order?.assignment.idleAfter.text ?? "long")"))
            case .idle where isFree:
                actions.append(stop(index, handle, "no request for \(order?.assignment.idleAfter.text ?? "long")"))
            case .idle where isFresh(runners[index]):
                serve(index)
            case .idle:
                // It would be replaced anyway: it finishes what it got and takes no more.
                let why = "replaced by a newer runner"
                runners[index].phase = .leaving(handle, .replaced(deadline: now + drainMax, why: why))
            case .replaced(let deadline, let why) where isFree || now >= deadline:
                let late = "\(why); its requests took longer than \(drainMax.text)"
                actions.append(stop(index, handle, isFree ? why : late))
            case .replaced:
                break
            }
        }
        return actions
    }

    mutating func stop(_ index: Int, _ handle: RunnerHandle, _ why: String) -> SupplyAction {
        runners[index].phase = .stopping
        return .stop(handle, grace: runners[index].order.template.terminationGrace, why: why)
    }

    /// One publication at a time, so that an older set never overtakes a newer one.
    private mutating func publish() -> [SupplyAction] {
        guard !publication.isUnderWay else { return [] }
        let serving = runners.filter(\.isServing)
        let handles = serving.compactMap(\.handle).sorted { $0.id < $1.id }
        let concurrencyMax = order.map { 2 * max(1, $0.assignment.targetConcurrency) } ?? publication.concurrencyMax
        let ids = handles.map(\.id)
        let isKnown = ids == publication.ids && (ids.isEmpty || concurrencyMax == publication.concurrencyMax)
        guard !isKnown else {
            noteWithdrawn()
            return []
        }
        publication = Publication(ids: ids, concurrencyMax: concurrencyMax, isUnderWay: true)
        let resumed = Set(serving.filter(\.isResumed).map(\.id))
        return [.publish(revision: key, runners: handles, resumed: resumed, concurrencyMax: concurrencyMax)]
    }

    /// Notes which runners no loop can pick any more: those that the finished publication left out.
    mutating func noteWithdrawn() {
        for index in runners.indices where !publication.ids.contains(runners[index].id) {
            runners[index].isWithdrawn = true
        }
    }

    /// Requests that wait although no runner is there or comes are told why at once.
    private func failHopeless(at now: ContinuousClock.Instant) -> [SupplyAction] {
        let hasHope = runners.contains { $0.isUsable || $0.isLeavingIdle }
        guard parked > 0, !hasHope, let reason = hopelessReason(at: now) else { return [] }
        return [.fail(revision: key, message: reason)]
    }

    private func hopelessReason(at now: ContinuousClock.Instant) -> String? {
        guard let assignment = order?.assignment else {
            return "\(key) is not assigned to this node any more. Send the request again."
        }
        if assignment.runnersMax == 0 {
            return "\(key) may have no runner here: its most is 0. Raise spec.scaling.max of its app."
        }
        guard backoff.isWaiting(at: now), let retryAt = backoff.retryAt else { return nil }
        let wait = (retryAt - now).wholeMilliseconds / 1000 + 1
        return "no runner of \(key) starts: \(backoff.message). The next start is tried in \(wait)s; "
            + "the program's output is in `meridian log`."
    }
}
