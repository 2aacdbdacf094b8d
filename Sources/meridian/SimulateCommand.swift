// SimulateCommand: `meridian simulate`: the loop over fakes, one seed deciding interleaving and faults.
import ArgumentParser
import MeridianSimulation

/// Runs seeds of the simulation; for those who change the planner or the loop.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run the loop over fakes with many seeds; for developers.",
        shouldDisplay: false
    )

    @Argument(parsing: .captureForPassthrough)
    var options: [String] = []

    func run() async throws {
        let code = await SimulationProgram.run(options)
        if code != 0 { throw ExitCode(code) }
    }
}
