// SupplyState: the runners of a node as a state machine: events come in, actions go out, nothing else happens.
package import MeridianModel
internal import MeridianPorts

/// What runners a node has, which it wants, and what has to be done about the difference.
///
/// It is pure: time and load are arguments, ids come from the seed. After an event the revision that it is about is looked
/// at anew, and with each tick all of them are, so that a lost or repeated event changes when something happens, not
/// whether.
package struct SupplyState: Sendable {
    /// While requests are in flight or wait: fast enough that a burst waits for starts, not for decisions.
    static let busyTick: Duration = .milliseconds(100)
    /// While runners are ready and idle: a wake a second is 0.001% of a processor.
    static let quietTick: Duration = .seconds(1)
    /// Four starting programs keep two cores busy; more would only make each of them later.
    static let startsInParallelMax = 4
    /// Paused runners of one node: they cost memory and a process each, and a machine of two cores has no more use for them.
    static let pausedMax = 64
    /// A start that takes longer mostly waits, so it does not keep others from starting.
    static let startHoldsPlace: Duration = .seconds(2)

    private var revisions: [String: RevisionSupply] = [:]
    private var names: RunnerNames
    private let clock: ReportClock
    private var demand = ShellDemand()
    /// The empty sandboxes that the runner port was told to keep.
    private var shells: [SandboxShape: Int] = [:]
    /// Nothing is wanted any more, whatever is assigned.
    private var isShutDown = false

    /// A node without revisions.
    ///
    /// The seed decides the ids of runners; a random one makes them differ across restarts. The clock is for the points
    /// of time in reports.
    package init(seed: UInt64, clock: ReportClock) {
        names = RunnerNames(seed: seed)
        self.clock = clock
    }

    /// Takes in an event and answers what is to be done now.
    ///
    /// The load is measured after the event: a runner that the edge has let go is stopped by it.
    package mutating func handle(
        _ event: SupplyEvent,
        load: SupplyLoad,
        at now: ContinuousClock.Instant
    ) -> [SupplyAction] {
        let own = revision(of: event)
        var actions = absorb(event, at: now)
        let keys = own.map { [$0] } ?? Set(revisions.keys)
        for key in keys { revisions[key]?.scale(load, at: now) }
        let starts = startMissing(at: now)
        actions += starts.actions
        for key in keys.union(starts.revisions).sorted() {
            actions += revisions[key]?.conclude(load, at: now) ?? []
            if revisions[key]?.isGone == true { revisions[key] = nil }
        }
        if actions.contains(where: \.isPause) { actions += stopSurplusPaused() }
        guard own == nil || !starts.actions.isEmpty else { return actions }
        return actions + failUnknown(load) + keepShells(at: now)
    }

    /// The one revision that the event is about; nil: it may be about any.
    private func revision(of event: SupplyEvent) -> String? {
        let id: String
        switch event {
        case .demanded(let key): return revisions[key] == nil ? nil : key
        case .published(let key): return key
        case .spawned(let handle): id = handle.id
        case .becameReady(let runner), .startFailed(let runner, _), .stopped(let runner): id = runner
        case .exited(let exit): id = exit.id
        case .assigned, .ticked, .shutDown: return nil
        }
        return revisions.values.first { $0.runners.contains { $0.id == id } }?.key
    }

    /// When the next `ticked` is due; nil: nothing can change without another event.
    package func nextWake(after now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let wakes = revisions.values.map { revision -> ContinuousClock.Instant? in
            if revision.isBusy || revision.runners.contains(where: { $0.isStarting || $0.isLeaving }) {
                return now + Self.busyTick
            }
            if revision.backoff.isWaiting(at: now), revision.usable == 0 { return revision.backoff.retryAt }
            if revision.runners.contains(where: { $0.pausedSince == nil }) { return now + Self.quietTick }
            return revision.runners.compactMap { $0.pausedSince.map { $0 + RevisionSupply.pauseMax } }.min()
        }
        return (wakes + [demand.changesAt(after: now)]).compactMap { $0 }.min()
    }

    /// Whether there is no runner, not even one that is being stopped.
    package var isEmpty: Bool { revisions.values.allSatisfy { $0.runners.isEmpty } }

    /// Every runner, sorted by id.
    package var runners: [RunnerReport] {
        revisions.values.flatMap { $0.runners.map { $0.report(clock) } }.sorted { $0.id < $1.id }
    }

    /// Revisions whose runners fail, sorted by key.
    package var troubles: [RevisionTrouble] {
        revisions.values.compactMap { $0.backoff.trouble($0.key, clock) }.sorted { $0.revision < $1.revision }
    }

    /// Orders runners for the revisions that lack most, the poorest first, within the bound on parallel starts.
    private mutating func startMissing(
        at now: ContinuousClock.Instant
    ) -> (actions: [SupplyAction], revisions: Set<String>) {
        var actions: [SupplyAction] = []
        var started: Set<String> = []
        var places = Self.startsInParallelMax - placesTaken(at: now)
        while places > 0, let key = poorestRevision(at: now), let order = revisions[key]?.order {
            places -= 1
            let id = names.next(for: key) { id in revisions.values.contains { $0.runners.contains { $0.id == id } } }
            let runner = RunnerOrder(
                id: id,
                revision: key,
                template: order.assignment.template,
                restartNumber: order.assignment.restartNumber
            )
            let why = revisions[key]?.startReason(at: now) ?? ""
            let generation = revisions[key]?.generation ?? 0
            revisions[key]?.runners.append(SuppliedRunner(order: runner, generation: generation, startedAt: now))
            demand.noteStart(SandboxShape(runner.template), at: now)
            actions.append(.start(runner, why: why))
            started.insert(key)
        }
        return (actions, started)
    }

    private func placesTaken(at now: ContinuousClock.Instant) -> Int {
        revisions.values.reduce(0) { total, revision in
            total + revision.runners.count { $0.isStarting && now - $0.startedAt < Self.startHoldsPlace }
        }
    }

    private func poorestRevision(at now: ContinuousClock.Instant) -> String? {
        let poor = revisions.values.filter { $0.missing(at: now) > 0 }
        return poor.min { ($0.usable, $0.key) < ($1.usable, $1.key) }?.key
    }

    /// Stops those that were paused for the longest, beyond what a node keeps.
    private mutating func stopSurplusPaused() -> [SupplyAction] {
        let paused = revisions.values.flatMap { revision in
            revision.runners.compactMap { runner in runner.pausedSince.map { (key: revision.key, since: $0) } }
        }
        let surplus = paused.sorted { $0.since < $1.since }.prefix(max(0, paused.count - Self.pausedMax))
        return surplus.flatMap { revisions[$0.key]?.stopLongestPaused() ?? [] }
    }

    /// Says how many empty sandboxes are wanted now, where that has changed.
    private mutating func keepShells(at now: ContinuousClock.Instant) -> [SupplyAction] {
        let templates = revisions.values.compactMap { $0.order?.assignment }.filter { $0.runnersMax > 0 }
        let wanted = demand.wanted(for: Set(templates.map { SandboxShape($0.template) }), at: now)
        guard wanted != shells else { return [] }
        shells = wanted
        return [.keepReady(wanted)]
    }

    /// Requests for revisions that nobody assigned cannot be served.
    private func failUnknown(_ load: SupplyLoad) -> [SupplyAction] {
        let unknown = load.parked.filter { $0.value > 0 && revisions[$0.key] == nil }.keys.sorted()
        return unknown.map { key in
            .fail(revision: key, message: "\(key) is not assigned to this node. Send the request again in a moment.")
        }
    }
}

extension SupplyState {
    /// Notes what an event says; decisions follow for all revisions alike.
    private mutating func absorb(_ event: SupplyEvent, at now: ContinuousClock.Instant) -> [SupplyAction] {
        switch event {
        case .ticked: break
        case .assigned(let orders, let isComplete): assign(orders, isComplete: isComplete)
        case .demanded(let key): revisions[key]?.isDemanded = true
        case .published(let key): revisions[key]?.noteWholePublication()
        case .spawned(let handle): return change(handle.id) { $0.noteSpawned($1, handle) }
        case .becameReady(let id): return change(id) { $0.noteReady($1, at: now) }
        case .startFailed(let id, let message): return change(id) { $0.noteStartFailed($1, message, at: now) }
        case .exited(let exit): return change(exit.id) { $0.noteExited($1, exit, at: now) }
        case .stopped(let id): return change(id) { $0.noteStopped($1) }
        case .shutDown:
            isShutDown = true
            for key in revisions.keys { revisions[key]?.shutDown() }
        }
        return []
    }

    private mutating func assign(_ orders: [RevisionOrder], isComplete: Bool) {
        guard !isShutDown else { return }
        for order in orders {
            let key = order.assignment.key
            revisions[key, default: RevisionSupply(key: key)].assign(order)
        }
        guard isComplete else { return }
        let wanted = Set(orders.map(\.assignment.key))
        for key in revisions.keys where !wanted.contains(key) { revisions[key]?.assign(nil) }
    }

    /// Changes the runner with this id; an event for a runner that is gone already says nothing new.
    private mutating func change(
        _ id: String,
        _ body: (inout RevisionSupply, _ index: Int) -> [SupplyAction]
    ) -> [SupplyAction] {
        for key in revisions.keys {
            guard var revision = revisions[key] else { continue }
            guard let index = revision.runners.firstIndex(where: { $0.id == id }) else { continue }
            let actions = body(&revision, index)
            revisions[key] = revision
            return actions
        }
        return []
    }
}
