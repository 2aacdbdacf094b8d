// SyscallsCommand: `meridian syscalls`: what syscalls are for, and which ones an app makes.

internal import ArgumentParser
internal import MeridianModel

struct SyscallsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "syscalls",
        abstract: "Explain syscalls, and learn which ones an app makes.",
        subcommands: [SyscallsExplainCommand.self, SyscallsLearnCommand.self]
    )
}

struct SyscallsExplainCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what a syscall is for, what permitting it risks, and which groups contain it."
    )

    @Argument(help: "The names of syscalls, as ptrace.") var names: [String]

    func execute(_ context: CommandContext) async throws -> Int32 {
        let facts = try names.map { name throws(CommandFailure) in
            if let facts = SyscallFacts.all[name] { return facts }
            let near = suggestion(for: name, among: syscallNames).map { "Did you mean \($0)?" }
            throw CommandFailure(name, "no syscall of Linux on x86_64 has this name", next: near ?? "")
        }
        context.output.write(facts.map(\.text).joined(separator: "\n"))
        return CommandExitCode.success
    }
}

extension SyscallFacts {
    /// Some lines for people.
    fileprivate var text: String {
        let groups = groups.map { "\($0.rawValue) (\($0.purpose))" }.joined(separator: ", ")
        let isDefault = SyscallAllowlistSpec.webDefault.syscalls.contains(name)
        return """
            \(name), number \(number)
              purpose:     \(purpose)
              risk:        \(risk.rawValue): \(risk.words)
              groups:      \(groups.isEmpty ? "none; single calls are added by `allow: [\(name)]`" : groups)
              web-default: \(isDefault ? "allowed" : "denied")

            """
    }
}

struct SyscallsLearnCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn",
        abstract: "Run an app in a sandbox that records its syscalls, and print the smallest allowlist for it.",
        discussion: """
            The newest built revision runs beside those that serve, whatever its allowlist says: it is waited for as by a \
            port check, its URLs are requested in turn, and it is stopped. Calls of high risk are recorded and refused; \
            all others are let through. What the program did not do in this time is not in the list: request what it \
            does in earnest, and look at SyscallsDenied of its Revisions afterwards.
            """
    )

    /// How what was learned is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// A SyscallAllowlist with comments.
        case yaml
        /// What was seen.
        case json
    }

    @OptionGroup var arguments: AppArguments
    var connection: ConnectionOptions { arguments.connection }

    @Option(name: .customLong("for"), help: ArgumentHelp("How long the app runs.", valueName: "time"))
    var duration = DurationArgument(.seconds(60))

    @Option(
        name: .customLong("url"),
        help: ArgumentHelp("A path that is requested; may be repeated.", valueName: "path")
    )
    var paths: [String] = []

    @Option(help: ArgumentHelp("The name of the allowlist; the app's without it.", valueName: "name"))
    var name: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print it.", valueName: "yaml|json"))
    var output: Format = .yaml

    /// What is asked of the server.
    private var settings: LearnSettings {
        var settings = LearnSettings()
        settings.duration = duration.duration
        if !paths.isEmpty { settings.paths = paths }
        return settings
    }

    func validate() throws {
        var context = DecodingContext()
        guard LearnSettings.decode(settings.encoded(), at: FieldPath(), &context) == nil else { return }
        let words = context.problems.map { problem in
            problem.message.replacing("duration:", with: "--for:").replacing("paths:", with: "--url:")
        }
        throw ValidationError(words.joined(separator: "; "))
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let app = arguments.key
        context.errors.writeLine("\(app.reference) runs for \(settings.duration.text) while its syscalls are recorded")
        let answer = try await api.learn(app, settings)
        var problems = DecodingContext()
        guard let lesson = SyscallLesson.decode(answer, at: FieldPath(), &problems) else {
            let reason = problems.problems.first?.message ?? "the answer cannot be read"
            throw CommandFailure(app.reference, reason, next: "Use a meridian of the server's version")
        }
        switch output {
        case .yaml: context.output.write(LearnedAllowlist(lesson, name: name ?? app.name).text)
        case .json: context.output.write(answer.text(pretty: true) + "\n")
        }
        return CommandExitCode.success
    }
}
