// ClientCommand: what all verbs of the client have in common.

internal import ArgumentParser

/// A verb that ends with an exit code, or with one error line and the verb's code for errors.
protocol ClientCommand: AsyncParsableCommand, Sendable {
    /// The exit code after an error.
    static var errorExitCode: Int32 { get }

    /// Does the work and returns the exit code.
    func execute(_ context: CommandContext) async throws -> Int32
}

extension ClientCommand {
    static var errorExitCode: Int32 { CommandExitCode.failure }

    func run() async throws {
        let code = try await exitCode(CommandContext.current)
        guard code == CommandExitCode.success else { throw ExitCode(code) }
    }

    /// The verb's code; usage errors are thrown on to the parser, which shows them with the usage.
    private func exitCode(_ context: CommandContext) async throws -> Int32 {
        do {
            return try await execute(context)
        } catch let usage as ValidationError {
            throw usage
        } catch is CancellationError {
            return CommandExitCode.interrupted
        } catch {
            // A request that was cut off by ctrl-C fails in words of its own.
            guard !Task.isCancelled else { return CommandExitCode.interrupted }
            context.errors.write(errorLine(error))
            return Self.errorExitCode
        }
    }
}

/// `error: <place>: <reason>. <next step>` and a newline.
func errorLine(_ error: any Error) -> String {
    let words = (error as? any CustomStringConvertible)?.description ?? "\(type(of: error))"
    return "error: \(words)\n"
}

/// A verb that talks to a server from its first step on.
protocol ServerCommand: ClientCommand {
    var connection: ConnectionOptions { get }

    /// Does the work with a client that is closed afterwards, and returns the exit code.
    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32
}

extension ServerCommand {
    func execute(_ context: CommandContext) async throws -> Int32 {
        try await connection.withServer(context) { api in try await execute(context, api) }
    }
}
