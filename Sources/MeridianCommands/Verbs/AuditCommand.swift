// AuditCommand: `meridian audit`: who changed what, the newest last.

internal import ArgumentParser
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

struct AuditCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "List who changed what, the newest last; for admins.",
        discussion: """
            Writes of people and programs, those that were refused too, and what the platform did by itself: \
            system:gitsource/NAME applied a commit, system:loop made and removed revisions, system:collector deleted \
            what lost its owner. Reading is not in the log, and no value of a Secret is.
            """
    )

    @Option(help: ArgumentHelp("Only what this user did, as ana or system:loop.", valueName: "user")) var who: String?
    @Option(help: "Only changes of this kind.", completion: ObjectArguments.completion) var kind: String?
    @Option(help: "Only changes of objects of this name.") var name: String?
    @Option(name: [.short, .long], help: "Only changes in this namespace.") var namespace: String?

    @Option(help: ArgumentHelp("Only what came since: 30m or 7d ago, or an RFC 3339 time.", valueName: "time"))
    var since: PastTime?

    @Option(help: ArgumentHelp("At most so many entries, the last ones.", valueName: "number"))
    var limit = AuditQuery.limitDefault

    @Option(name: .shortAndLong, help: ArgumentHelp("Print whole entries (audit.k8s.io/v1).", valueName: "json"))
    var output: Format?

    @OptionGroup var connection: ConnectionOptions

    /// How entries are printed other than as a table.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case json
    }

    func validate() throws {
        if let kind { _ = try knownKind(kind) }
        guard (1...AuditQuery.limitMax).contains(limit) else {
            throw ValidationError("--limit \(limit): write a number from 1 to \(AuditQuery.limitMax).")
        }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let query = AuditQuery(
            user: who,
            resource: try kind.map { try knownKind($0).plural },
            namespace: namespace,
            name: name,
            since: since.map { $0.time(before: context.now()) },
            limit: limit
        )
        let entries = try await api.audit(query)
        if output == .json {
            context.output.write(JSONValue.array(entries).text(pretty: true) + "\n")
            return CommandExitCode.success
        }
        let rows = AuditRows(entries)
        if rows.lost > 0 {
            context.errors.writeLine("warning: \(rows.lost) entries are missing: the disk did not take them in time")
        }
        guard rows.rows.count > 1 else {
            context.errors.writeLine("No entries found.")
            return CommandExitCode.success
        }
        for line in TableText.lines(rows.rows) { context.output.writeLine(line) }
        return CommandExitCode.success
    }
}

/// A time in the past: so long ago, or RFC 3339.
enum PastTime: ExpressibleByArgument {
    case ago(Duration)
    case at(Timestamp)

    init?(argument: String) {
        if let duration = Duration(text: argument), duration >= .zero {
            self = .ago(duration)
        } else if let time = Timestamp(argument) {
            self = .at(time)
        } else {
            return nil
        }
    }

    func time(before now: Timestamp) -> Timestamp {
        switch self {
        case .ago(let duration): Timestamp(milliseconds: now.milliseconds - duration.wholeMilliseconds)
        case .at(let time): time
        }
    }
}
