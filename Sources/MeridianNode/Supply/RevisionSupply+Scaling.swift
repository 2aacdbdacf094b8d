// RevisionSupply+Scaling: which of a revision's runners serve, rest or leave, by its load and its settings.
internal import MeridianModel
internal import MeridianPorts

extension RevisionSupply {
    /// Moves runners between serving, resting and leaving; starts and stops nothing.
    mutating func scale(_ load: SupplyLoad, at now: ContinuousClock.Instant) {
        measure(load, at: now)
        replaceStale(load, at: now)
        bringBack(wanted)
        rest(load)
        retireIdle(load, at: now)
    }

    /// Takes as many old runners from the edge as new ones have become ready.
    private mutating func replaceStale(_ load: SupplyLoad, at now: ContinuousClock.Instant) {
        let stale = runners.indices.filter {
            !isFresh(runners[$0]) && (runners[$0].isServing || runners[$0].isResting)
        }
        guard !stale.isEmpty else {
            replacing = 0
            return
        }
        let fresh = runners.count { isFresh($0) && $0.isServing }
        let kept = max(0, wanted - fresh)
        let why = order == nil ? "the revision is not assigned any more" : "replaced by a newer runner"
        let leaving = leastBusyFirst(stale, load).prefix(max(0, stale.count - kept))
        for index in leaving { leave(index, .replaced(deadline: now + drainMax, why: why)) }
    }

    /// Gives runners that rest, or were about to go, back to the edge before new ones are started.
    private mutating func bringBack(_ wanted: Int) {
        for index in runners.indices where isFresh(runners[index]) && runners[index].isLeavingIdle {
            guard usable < wanted else { break }
            serve(index)
        }
        for index in pausedLastFirst where isFresh(runners[index]) {
            guard usable < wanted else { break }
            serve(index)
            runners[index].isResumed = true
        }
        for index in runners.indices where isFresh(runners[index]) && runners[index].isResting {
            guard runners.count(where: { isFresh($0) && $0.isServing }) < wanted else { break }
            serve(index)
        }
    }

    /// The runner that was paused last has the most of its memory still.
    private var pausedLastFirst: [Int] {
        let paused = runners.indices.compactMap { index in runners[index].pausedSince.map { (index, $0) } }
        return paused.sorted { $0.1 > $1.1 }.map(\.0)
    }

    /// Keeps surplus runners from the edge, so that few requests are not spread over many runners for ever.
    private mutating func rest(_ load: SupplyLoad) {
        guard let assignment = order?.assignment, replacing == 0 else { return }
        let serving = runners.indices.filter { isFresh(runners[$0]) && runners[$0].isServing }
        let kept = min(assignment.runnersMax, max(1, assignment.runnersMin, runnersFor(window.peak)))
        for index in leastBusyFirst(serving, load).prefix(max(0, serving.count - kept)) {
            guard case .serving(let handle) = runners[index].phase else { continue }
            runners[index].phase = .resting(handle)
            runners[index].isWithdrawn = false
        }
    }

    /// Takes runners from the edge that had no request for `idleAfter`; those that rest go first.
    private mutating func retireIdle(_ load: SupplyLoad, at now: ContinuousClock.Instant) {
        guard let idleAfter = order?.assignment.idleAfter else { return }
        let idle = runners.indices.filter { index in
            let runner = runners[index]
            return (runner.isServing || runner.isResting) && runner.idleTime(load, at: now) >= idleAfter
        }
        let byIdleTime = idle.sorted { runners[$0].idleTime(load, at: now) > runners[$1].idleTime(load, at: now) }
        let candidates = byIdleTime.filter { runners[$0].isResting } + byIdleTime.filter { !runners[$0].isResting }
        for index in candidates {
            if isFresh(runners[index]) {
                guard usable > wanted else { continue }
            } else {
                replacing = max(0, replacing - 1)
            }
            leave(index, .idle)
        }
    }

    /// Makes the edge pick the runner again.
    mutating func serve(_ index: Int) {
        guard let handle = runners[index].handle else { return }
        runners[index].phase = .serving(handle)
        runners[index].isWithdrawn = false
    }

    private mutating func leave(_ index: Int, _ cause: SuppliedRunner.LeavingCause) {
        guard let handle = runners[index].handle else { return }
        if runners[index].isServing { runners[index].isWithdrawn = false }
        runners[index].phase = .leaving(handle, cause)
    }

    private func leastBusyFirst(_ indices: [Int], _ load: SupplyLoad) -> [Int] {
        indices.sorted { left, right in
            let (first, second) = (runners[left], runners[right])
            let (firstLoad, secondLoad) = (load.inFlight(first.id), load.inFlight(second.id))
            // Among equals the one with the newest start goes: the oldest is the best proven.
            return firstLoad == secondLoad ? first.startedAt > second.startedAt : firstLoad < secondLoad
        }
    }
}
