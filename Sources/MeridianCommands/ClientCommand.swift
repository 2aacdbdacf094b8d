// ClientCommand: what all verbs of the client have in common.

internal import ArgumentParser
internal import Glibc

/// A verb that ends with an exit code, or with one error line and the verb's code for errors.
protocol ClientCommand: AsyncParsableCommand {
    /// The exit code after an error.
    static var errorExitCode: Int32 { get }

    /// Does the work and returns the exit code.
    func execute(_ context: CommandContext) async throws -> Int32
}

extension ClientCommand {
    static var errorExitCode: Int32 { CommandExitCode.failure }

    func run() async throws {
        let context = CommandContext.current
        if context.handlesInterrupts { exitQuietlyOnInterrupt() }
        let code = try await exitCode(context)
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

/// Ends the process with code 130 at the first ctrl-C; no verb leaves anything half written.
private func exitQuietlyOnInterrupt() {
    // _exit(2) is async-signal-safe, exit(3) is not.
    signal(SIGINT) { _ in _exit(CommandExitCode.interrupted) }
}
