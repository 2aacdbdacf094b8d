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
    let cluster: Cluster
    let script: UserScript
    private var draw: Draw
    var steps = 0
    var actions: ArraySlice<UserAction>

    /// Things that happen after the last action before it gets quiet: some still find work under way.
    private static let stepsAfterScript = 12
    /// Steps of a life: a script that waits for something that never comes goes on in quiet.
    private static let liveStepsMax = 400

    /// A run of a case whose script is that of a class of faults.
    private init(_ plan: SimulationCase, script faults: FaultClass?, trace: @escaping (String) -> Void = { _ in }) {
        cluster = Cluster(plan, trace: trace)
        script = UserScript(seed: plan.seed, faults: faults)
        draw = Draw(seed: plan.seed)
        actions = script.actions[...]
    }

    /// Runs a case, and its script without faults beside it for comparison.
    ///
    /// - Parameters:
    ///   - plan: the case.
    ///   - trace: told of everything that happens.
    /// - Returns: what was found.
    package static func run(
        _ plan: SimulationCase,
        trace: @escaping (String) -> Void = { _ in }
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
            plan: cluster.plan,
            findings: cluster.findings.all,
            steps: steps,
            effects: cluster.gate.effects,
            summary: summary
        )
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

    mutating func act() async throws(StoreError) {
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
}
