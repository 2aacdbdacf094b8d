// LogsCommand: `meridian logs`: what an app's runners or its build printed.

internal import ArgumentParser
internal import MeridianModel

struct LogsCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show what an app's runners, or its build, printed.")

    @OptionGroup var arguments: AppArguments
    @Flag(name: .shortAndLong, help: "Go on and print new lines.") var follow = false
    @Option(help: "Only lines of this revision.") var revision: String?
    @Flag(help: "The output of the build instead of the runners'.") var build = false
    @Option(help: ArgumentHelp("Only the last lines.", valueName: "count")) var tail: Int?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail \(tail): give a number of lines.") }
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let api = try arguments.connection.connect(context)
        let selection = LogSelection(follow: follow, revision: revision, tailLines: tail, isBuild: build)
        for try await line in api.log(arguments.key, selection) { context.output.writeLine(line) }
        return CommandExitCode.success
    }
}
