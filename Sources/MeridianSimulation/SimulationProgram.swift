// SimulationProgram: `meridian simulate`: runs seeds and says what was found and how to see it again.

/// The command line of the simulation.
///
/// - `--seed N`: this seed alone; `--seeds COUNT`: seeds 1 to COUNT (500 without either).
/// - `--class N`: this class of faults alone, by its number; without it every class has its turn.
/// - `--bug NAME`: with this deliberate bug. `--crash-after N`: the control plane dies after its Nth effect.
/// - `--exhaustive`: with `--seed` or `--seeds`, a crash after every effect, one run each.
/// - `--trace`: everything that happens, line by line.
package struct SimulationProgram {
    private var seeds: ClosedRange<UInt64> = 1...500
    private var classes: [FaultClass] = FaultClass.allCases
    private var bug: DeliberateBug?
    private var crashAfter: Int?
    private var isExhaustive = false
    private var isTraced = false

    /// Runs the program; answers its exit code: 0 nothing found, 1 something found, 64 wrong arguments.
    package static func run(_ arguments: [String]) async -> Int32 {
        do throws(UsageError) {
            return try await SimulationProgram(arguments).run()
        } catch {
            print(error.words)
            return 64
        }
    }

    /// What is wrong with the arguments.
    private struct UsageError: Error {
        let words: String
    }

    private init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--seed":
                let seed = try Self.number(&rest, of: option)
                seeds = seed...seed
            case "--seeds": seeds = 1...max(1, try Self.number(&rest, of: option))
            case "--class":
                let number = Int(try Self.number(&rest, of: option))
                guard let faults = FaultClass(rawValue: number) else {
                    let known = FaultClass.allCases.map { "\($0.rawValue) \($0)" }.joined(separator: ", ")
                    throw UsageError(words: "simulate: there is no class \(number). Known: \(known)")
                }
                classes = [faults]
            case "--bug":
                guard let name = rest.popFirst(), let bug = DeliberateBug(rawValue: name) else {
                    let known = DeliberateBug.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError(words: "simulate: --bug needs a name. Known: \(known)")
                }
                self.bug = bug
                classes = [bug.faultClass]
            case "--crash-after": crashAfter = Int(try Self.number(&rest, of: option))
            case "--exhaustive": isExhaustive = true
            case "--trace": isTraced = true
            default:
                throw UsageError(
                    words:
                        "simulate: unknown option \(option). Options: --seed N, --seeds COUNT, --class N, --bug NAME,"
                        + " --crash-after N, --exhaustive, --trace"
                )
            }
        }
    }

    private static func number(_ rest: inout ArraySlice<String>, of option: String) throws(UsageError) -> UInt64 {
        // More digits than this would not fit the numbers that are derived from it.
        guard let text = rest.popFirst(), let number = UInt64(text), number <= UInt64(Int32.max) else {
            throw UsageError(words: "simulate: \(option) needs a number from 0 to \(Int32.max)")
        }
        return number
    }

    private func run() async -> Int32 {
        let clock = ContinuousClock()
        let start = clock.now
        var tally = Tally()
        for (index, seed) in seeds.enumerated() {
            // One seed goes through every class; many seeds take turns, so that all classes get their share.
            let turns = seeds.count == 1 ? classes : [classes[index % classes.count]]
            for faults in turns { await run(seed: seed, faults, &tally) }
        }
        let seconds = Double((clock.now - start).components.seconds) + 0.001
        let rate = Int(Double(tally.steps) / max(seconds, 1))
        print("\(tally.runs) runs, \(tally.steps) steps, \(rate) steps per second, \(tally.found) runs with findings")
        return tally.found == 0 ? 0 : 1
    }

    fileprivate struct Tally {
        var runs = 0
        var steps = 0
        var found = 0
    }

    private func run(seed: UInt64, _ faults: FaultClass, _ tally: inout Tally) async {
        guard !isExhaustive else {
            for outcome in await Simulation.runWithEveryCrash(seed: seed, bug: bug) { tally.take(outcome) }
            return
        }
        // Asked for a crash alone, nothing else goes wrong.
        let plan = SimulationCase(
            seed: seed,
            faults: crashAfter == nil ? faults : nil,
            bug: bug,
            crashAfterEffect: crashAfter
        )
        let isTraced = isTraced
        await tally.take(Simulation.run(plan) { words in if isTraced { print(words) } })
    }
}

extension SimulationProgram.Tally {
    /// Counts a run and prints what it found.
    fileprivate mutating func take(_ outcome: SimulationOutcome) {
        runs += 1
        steps += outcome.steps
        guard !outcome.findings.isEmpty else { return }
        found += 1
        print("seed \(outcome.plan.seed): \(outcome.plan.command)")
        for finding in outcome.findings { print("  \(finding)") }
    }
}
