// LogsCommand: `meridian logs`: what an app's runners or its build printed.

internal import ArgumentParser
internal import MeridianPorts

struct LogsCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what an app's runners, or its build, printed."
    )

    @OptionGroup var arguments: AppArguments
    var connection: ConnectionOptions { arguments.connection }
    @Flag(name: .shortAndLong, help: "Go on and print new lines.") var follow = false
    @Option(help: "Only lines of this revision.") var revision: String?
    @Flag(help: "The output of the build instead of the runners'.") var build = false
    @Option(help: ArgumentHelp("Only the last lines.", valueName: "count")) var tail: Int?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail \(tail): give a number of lines.") }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let request = LogRequest(
            app: arguments.key,
            revision: revision,
            tailLines: tail,
            follows: follow,
            isBuild: build
        )
        try await api.log(request) { context.output.writeLine($0) }
        return CommandExitCode.success
    }
}
