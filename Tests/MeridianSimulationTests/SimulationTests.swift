// SimulationTests: hundreds of lives of the loop, with everything going wrong that is known to break reconcilers.
import MeridianSimulation
import Testing

@Suite("Simulated lives of the loop")
struct SimulationTests {
    /// Seeds of each class of faults: 8 classes of 64 make 512 lives.
    static let seedsPerClass = 64
    /// A bug that no oracle sees in so many lives would not be seen at all.
    static let seedsUntilSeen = 120

    @Test("end as the files ask, whatever goes wrong", arguments: FaultClass.allCases)
    func lifeEndsWell(faults: FaultClass) async {
        for seed in 1...Self.seedsPerClass {
            await expectNothingFound(SimulationCase(seed: UInt64(1000 * faults.rawValue + seed), faults: faults))
        }
    }

    @Test("end as the files ask after a crash at every single effect", arguments: [1, 2, 3] as [UInt64])
    func crashAnywhere(seed: UInt64) async {
        let outcomes = await Simulation.runWithEveryCrash(seed: seed)
        #expect(outcomes.count > 10)
        for outcome in outcomes { expectNothing(in: outcome) }
    }

    @Test("bring each deliberate bug to light", arguments: DeliberateBug.allCases)
    func bugIsSeen(bug: DeliberateBug) async {
        for seed in 1...UInt64(Self.seedsUntilSeen) {
            let outcome = await Simulation.run(SimulationCase(seed: seed, faults: bug.faultClass, bug: bug))
            if !outcome.findings.isEmpty { return }
        }
        Issue.record("no oracle saw \(bug.rawValue) in \(Self.seedsUntilSeen) lives")
    }

    @Test("are the same for the same seed", arguments: FaultClass.allCases)
    func replayIsExact(faults: FaultClass) async {
        let plan = SimulationCase(seed: 77, faults: faults)
        var first: [String] = []
        var second: [String] = []
        _ = await Simulation.run(plan) { first.append($0) }
        _ = await Simulation.run(plan) { second.append($0) }
        #expect(!first.isEmpty)
        #expect(first == second)
    }

    @Test(
        "wrong arguments are refused with words",
        arguments: [["--seed"], ["--class", "99"], ["--bug", "x"], ["--what"]]
    )
    func usage(arguments: [String]) async {
        #expect(await SimulationProgram.run(arguments) == 64)
    }

    private func expectNothingFound(_ plan: SimulationCase) async {
        expectNothing(in: await Simulation.run(plan))
    }

    private func expectNothing(in outcome: SimulationOutcome) {
        #expect(outcome.findings.isEmpty, "\(outcome.plan.command): \(outcome.findings.joined(separator: "; "))")
    }
}
