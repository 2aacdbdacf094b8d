// Simulation+Rest: the end of a run: faults end, the world comes to rest, and the oracles look.
import MeridianModel
import MeridianPlanning
import MeridianPorts

extension Simulation {
    /// Rounds until a quiet world is settled; ten apps' worth of rollouts take about sixty.
    private static let quietRoundsMax = 600
    /// Writes per action and birth; a whole life of an app with a rollout and its runners takes about forty.
    private static let writesPerAction = 120

    /// Faults end, and the world comes to rest.
    mutating func settle() async throws(StoreError) {
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
    mutating func judge() async throws(StoreError) -> [String] {
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
        if cluster.node.assignment.number > number + 1 {
            cluster.findings.add("assigned more than once after a restart")
        }
    }
}
