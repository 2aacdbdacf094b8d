// RestartCommand: `meridian restart` and `meridian rebuild`: the same app anew, its runners or its executable.

internal import ArgumentParser

struct RestartCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Replace an app's runners by new ones; no request is lost."
    )

    @OptionGroup var arguments: AppArguments
    var connection: ConnectionOptions { arguments.connection }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        _ = try await api.restart(arguments.key)
        context.output.writeLine("\(arguments.key.reference) restarts")
        return CommandExitCode.success
    }
}

struct RebuildCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild",
        abstract: "Build an app anew, without the cache, as a new revision."
    )

    @OptionGroup var arguments: AppArguments
    var connection: ConnectionOptions { arguments.connection }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        _ = try await api.rebuild(arguments.key)
        context.output.writeLine("\(arguments.key.reference) is built anew")
        return CommandExitCode.success
    }
}
