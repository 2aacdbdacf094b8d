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
    /// Parses `arguments` (without the program's name), runs the verb that they name, and returns the exit code.
    ///
    /// Help goes to standard output with code 0, usage errors to standard error with code 64 (`EX_USAGE`).
    package static func run<Root: ParsableCommand>(_ root: Root.Type, arguments: [String]) async -> Int32 {
        let context = CommandContext.current
        do {
            var command = try root.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
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
}
