// Simulation: one run: people act, things happen in a drawn order, faults strike; then quiet, and the oracles look.
import MeridianModel
import MeridianPlanning
import MeridianPorts

/// What came of one run.
package struct SimulationOutcome: Sendable {
    package let plan: SimulationCase
    /// What must not be and was; empty where all is well.
    package internal(set) var findings: [String]
    /// Things that happened.
    package let steps: Int
    /// Effects of the control plane: how many places there are for it to die.
    package let effects: Int
    /// What two runs of one script have in common.
    let summary: [String]
}

extension SimulationOutcome {
    /// This outcome with a finding more where it ended otherwise than the run without faults.
    fileprivate func compared(with calm: SimulationOutcome) -> SimulationOutcome {
        guard summary != calm.summary else { return self }
        var outcome = self
        outcome.findings.append("ended with \(summary), but without faults with \(calm.summary)")
        return outcome
    }
}

/// Runs cases.
package struct Simulation {
    private let cluster: Cluster
    private let script: UserScript
    private var draw: Draw
    private var steps = 0
    private var actions: ArraySlice<UserAction>

    /// Things that happen after the last action before it gets quiet: some still find work under way.
    private static let stepsAfterScript = 12
    /// Steps of a life: a script that waits for something that never comes goes on in quiet.
    private static let liveStepsMax = 400
    /// Rounds until a quiet world is settled; ten apps' worth of rollouts take about sixty.
    private static let quietRoundsMax = 600
    /// Writes per action and birth; a whole life of an app with a rollout and its runners takes about forty.
    private static let writesPerAction = 120

    /// A run of a case whose script is that of a class of faults.
    private init(_ plan: SimulationCase, script faults: FaultClass?, trace: @escaping (String) -> Void = { _ in }) {
        cluster = Cluster(plan, trace: trace)
        script = UserScript(seed: plan.seed, faults: faults)
        draw = Draw(seed: plan.seed)
        actions = script.actions[...]
    }

    /// Runs a case, and its script without faults beside it for comparison.
    ///
    /// - Parameter trace: told of everything that happens.
    package static func run(
        _ plan: SimulationCase, trace: @escaping (String) -> Void = { _ in }
    ) async -> SimulationOutcome {
        var run = Simulation(plan, script: plan.faults, trace: trace)
        let outcome = await run.outcome()
        guard plan.faults != nil || plan.crashAfterEffect != nil else { return outcome }
        // The same script, with nothing going wrong.
        var calm = Simulation(SimulationCase(seed: plan.seed), script: plan.faults)
        return outcome.compared(with: await calm.outcome())
    }

    /// Runs a seed once without faults and then once for each effect, with a death of the control plane after it.
    package static func runWithEveryCrash(seed: UInt64, bug: DeliberateBug? = nil) async -> [SimulationOutcome] {
        var calm = Simulation(SimulationCase(seed: seed), script: nil)
        let calmly = await calm.outcome()
        var outcomes: [SimulationOutcome] = [calmly]
        for effect in 1...max(1, calmly.effects) {
            var run = Simulation(SimulationCase(seed: seed, bug: bug, crashAfterEffect: effect), script: nil)
            outcomes.append(await run.outcome().compared(with: calmly))
        }
        return outcomes
    }

    private mutating func outcome() async -> SimulationOutcome {
        var summary: [String] = []
        do throws(StoreError) {
            try await live()
            try await settle()
            summary = try await judge()
        } catch {
            cluster.findings.add("the run broke off: \(error)")
        }
        return SimulationOutcome(
            plan: cluster.plan, findings: cluster.findings.all, steps: steps, effects: cluster.gate.effects,
            summary: summary)
    }

    // MARK: Life

    private mutating func live() async throws(StoreError) {
        try await begin()
        var left = Self.stepsAfterScript
        for _ in 0..<Self.liveStepsMax where left > 0 {
            if actions.isEmpty { left -= 1 }
            try await step()
        }
    }

    private mutating func begin() async throws(StoreError) {
        try await cluster.hand.declareAllowlist()
        switch cluster.plan.faults {
        case .sameName: cluster.keepCancelledWork()
        case .hotLoop: draw.chance(50) ? cluster.node.setRefuses(true) : refuse()
        default: break
        }
    }

    /// One thing happens.
    private mutating func step() async throws(StoreError) {
        steps += 1
        switch draw.below(20) {
        case 0, 1: try await act()
        case 2...7: _ = await turnUnlessMissed()
        case 8...10: if cluster.pendingWorks > 0 { await cluster.endWork(draw.below(cluster.pendingWorks)) }
        case 11...13: cluster.node.work()
        case 14...16: report()
        case 17: draw.chance(60) ? cluster.node.load() : cluster.node.idle()
        case 18: cluster.clock.advance(by: .seconds(draw.below(5)))
        default: await strike()
        }
    }

    private mutating func act() async throws(StoreError) {
        guard let action = actions.first else { return }
        try await cluster.store.keepView()
        let isDone = try await cluster.hand.act(action)
        cluster.trace("\(action)\(isDone ? "" : " has to wait")")
        if isDone { actions = actions.dropFirst() }
    }

    private mutating func turnUnlessMissed() async -> Plan? {
        if cluster.plan.faults == .missedNews, draw.chance(70) { return nil }
        return await cluster.turn()
    }

    private mutating func report() {
        cluster.sendReport()
        switch cluster.plan.faults {
        case .missedNews where draw.chance(50): cluster.dropReport()
        case .reordering: cluster.deliverReport(draw.below(cluster.reports.count), keeps: draw.chance(30))
        default: cluster.deliverReport(0)
        }
    }

    /// What is particular to the class of faults.
    private mutating func strike() async {
        switch cluster.plan.faults {
        case .crash: draw.chance(50) ? cluster.gate.die(afterMore: 1 + draw.below(4)) : cluster.rebirth()
        case .partialFailure, .reordering: await cluster.node.takeLate()
        case .missedNews: cluster.loseConnection()
        case .sameName: if draw.chance(30) { cluster.node.restart() }
        case .emptyStart:
            cluster.store.failReads(2 + draw.below(6))
            cluster.rebirth()
        case .hotLoop: refuse()
        case .staleRead: await keepView()
        case nil: break
        }
    }

    private func keepView() async {
        do throws(StoreError) {
            try await cluster.store.keepView()
        } catch {
            cluster.findings.add("the true store failed: \(error)")
        }
    }

    private mutating func refuse() {
        let app = draw.pick(UserScript.apps) ?? "ant"
        cluster.store.refuse([
            ObjectKey(kind: RevisionSpec.kind, namespace: "default", name: "\(app)-0000\(1 + draw.below(2))")
        ])
    }

    // MARK: Quiet

    /// Faults end, and the world comes to rest.
    private mutating func settle() async throws(StoreError) {
        if cluster.plan.faults == .hotLoop { await endure() }
        cluster.store.setQuiet(true)
        cluster.node.setQuiet(true)
        cluster.store.refuse([])
        cluster.node.setRefuses(false)
        cluster.store.failReads(0)
        // What was lost or overtaken comes again with the next connection.
        cluster.loseConnection()
        for _ in 0..<Self.quietRoundsMax {
            if try await isSettled() { return }
            steps += 1
        }
        cluster.findings.add("did not settle in \(Self.quietRoundsMax) rounds")
    }

    /// Everything that is under way goes on by one step; true where nothing was.
    private mutating func isSettled() async throws(StoreError) -> Bool {
        var isSettled = actions.isEmpty
        try await act()
        if cluster.pendingWorks > 0 {
            await cluster.endWork(0)
            isSettled = false
        }
        if !cluster.node.isIdle {
            cluster.node.work()
            isSettled = false
        }
        await cluster.node.takeLate()
        cluster.sendReport()
        while !cluster.reports.isEmpty {
            cluster.deliverReport(0)
            isSettled = false
        }
        if cluster.plan.bug == .noFullLook, cluster.plan.faults == .missedNews, actions.isEmpty { return isSettled }
        guard let plan = await cluster.turn() else { return false }
        if let wakeAt = plan.wakeAt, plan.steps.isEmpty {
            cluster.clock.advance(to: wakeAt)
            return false
        }
        return isSettled && plan.steps.isEmpty
    }

    /// An hour in which something fails each time: what is tried must get rarer.
    private mutating func endure() async {
        // 1, 2, 4 … 300 s: nine attempts in five minutes, then one each five minutes: 20 in an hour, for each of the
        // few objects that can be affected, and twice that for failures under way when it began.
        let attemptsMax = 160
        let before = cluster.store.refusals + cluster.node.refusals
        let end = cluster.clock.now + .seconds(3600)
        while cluster.clock.now < end, cluster.store.refusals + cluster.node.refusals - before <= attemptsMax {
            steps += 1
            if cluster.pendingWorks > 0 { await cluster.endWork(0) }
            cluster.node.work()
            cluster.sendReport()
            cluster.deliverReport(0)
            guard let plan = await cluster.turn() else { break }
            if plan.steps.isEmpty {
                cluster.clock.advance(to: min(end, plan.wakeAt ?? end))
            } else {
                // A turn takes its time, so that a loop that spins ends too.
                cluster.clock.advance(by: .milliseconds(500))
            }
        }
        let attempts = cluster.store.refusals + cluster.node.refusals - before
        if attempts > attemptsMax { cluster.findings.add("tried \(attempts) times in an hour what failed each time") }
    }

    // MARK: Judgement

    /// The end state, and that neither more turns nor a restart write anything.
    private mutating func judge() async throws(StoreError) -> [String] {
        cluster.gate.stopDying()
        let state = try await EndState(cluster)
        for fault in state.faults { cluster.findings.add(fault) }
        let writes = cluster.store.writes
        let writesMax = (script.actions.count + cluster.births) * Self.writesPerAction
        if writes > writesMax { cluster.findings.add("wrote \(writes) times, more than \(writesMax)") }
        if cluster.plan.bug == nil { await judgeRest(writes) }
        return state.summary
    }

    private mutating func judgeRest(_ writes: Int) async {
        let number = cluster.node.assignment.number
        for _ in 0..<3 { _ = await cluster.turn() }
        if cluster.store.writes != writes { cluster.findings.add("wrote at rest") }
        if cluster.node.assignment.number != number { cluster.findings.add("assigned at rest") }
        cluster.rebirth()
        for _ in 0..<4 {
            _ = await cluster.turn()
            cluster.sendReport()
            cluster.deliverReport(0)
        }
        if cluster.store.writes != writes { cluster.findings.add("wrote after a restart at rest") }
        if cluster.node.assignment.number > number + 1 { cluster.findings.add("assigned more than once after a restart") }
    }
}
