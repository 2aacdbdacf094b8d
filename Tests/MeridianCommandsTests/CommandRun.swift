// CommandRun: runs the program's verbs in this process against a platform of the test.

import ArgumentParser
import MeridianModel
import Synchronization

@testable import MeridianCommands

/// Text that a verb wrote.
final class WrittenText: TextSink {
    let terminalColumns: Int?
    private let written = Mutex("")

    init(terminalColumns: Int? = nil) { self.terminalColumns = terminalColumns }

    var text: String { written.withLock { $0 } }

    func write(_ text: String) { written.withLock { $0 += text } }
}

/// The program as the lead's `meridian` mounts the verbs.
private struct TestProgram: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "meridian", subcommands: clientCommands)
}

/// What one run of the program left behind.
struct CommandRun {
    let code: Int32
    let output: String
    let errors: String

    /// Runs `meridian` with `arguments`.
    ///
    /// Connections lead to `platform`, or fail where it is nil; standard error is a terminal where it has `columns`.
    init(
        _ arguments: [String],
        on platform: FakePlatform? = nil,
        input: String? = nil,
        columns: Int? = nil,
        environment: [String: String] = ["MERIDIAN_SERVER": "http://test"]
    ) async {
        let output = WrittenText()
        let errors = WrittenText(terminalColumns: columns)
        let context = CommandContext(
            output: output,
            errors: errors,
            standardInput: { input.map { Array($0.utf8) } },
            environment: { environment[$0] },
            now: { FakePlatform.now },
            connect: { access in
                guard let platform else {
                    throw ControlPlaneError(status: nil, message: "no Meridian API at \(access.url)")
                }
                return platform
            }
        )
        code = await CommandContext.$current.withValue(context) {
            // As inside another verb: the test's process is not the verb's to end.
            await CommandProgram.$depth.withValue(1) {
                await CommandProgram.run(TestProgram.self, arguments: arguments)
            }
        }
        self.output = output.text
        self.errors = errors.text
    }
}
