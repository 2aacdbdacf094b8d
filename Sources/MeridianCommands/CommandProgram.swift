// CommandProgram: from the arguments of a program to its exit code.

package import ArgumentParser

/// The exit codes that every verb shares.
package enum CommandExitCode {
    package static let success: Int32 = 0
    package static let failure: Int32 = 1
    /// Ctrl-C, as shells report it: 128 and the signal's number.
    package static let interrupted: Int32 = 130
}

/// Runs a program made of subcommands.
package enum CommandProgram {
    /// How many verbs run inside each other in this task; from the second on, as where `up -f` applies, the process is
    /// not the verb's to end.
    @TaskLocal static var depth = 0

    /// Parses `arguments` (without the program's name), runs the verb that they name, and returns the exit code.
    ///
    /// Help goes to standard output with code 0, usage errors to standard error with code 64 (`EX_USAGE`).
    package static func run<Root: ParsableCommand>(_ root: Root.Type, arguments: [String]) async -> Int32 {
        let context = CommandContext.current
        do {
            let command = try root.parseAsRoot(arguments)
            let isOutermost = depth == 0
            try await $depth.withValue(depth + 1) {
                if let verb = command as? any ClientCommand, isOutermost {
                    try await Interrupts.cancelling { try await verb.run() }
                } else {
                    try await run(command)
                }
            }
            return CommandExitCode.success
        } catch let code as ExitCode {
            return code.rawValue
        } catch is CancellationError {
            return CommandExitCode.interrupted
        } catch {
            let code = root.exitCode(for: error)
            let text = root.fullMessage(for: error)
            if !text.isEmpty { (code.isSuccess ? context.output : context.errors).write(text + "\n") }
            return code.rawValue
        }
    }

    private static func run(_ command: any ParsableCommand) async throws {
        var command = command
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }
}
