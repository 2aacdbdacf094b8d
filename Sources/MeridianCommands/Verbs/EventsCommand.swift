// EventsCommand: `meridian events`: what happened, the newest last.

internal import ArgumentParser
internal import MeridianMerging
internal import MeridianModel

struct EventsCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened, the newest last."
    )

    @Option(name: .customLong("for"), help: ArgumentHelp("Only events of this object.", valueName: "kind/name"))
    var object: String?

    @Flag(name: [.customShort("A"), .long], help: "Events of all namespaces.") var allNamespaces = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        guard let object else { return }
        guard object.contains("/"), try ObjectArguments([object]).names.count == 1 else {
            throw ValidationError("--for \(object): write KIND/NAME, e.g. app/hello.")
        }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let events = try await events(api)
        let rows = events.rows(now: context.now(), namingObjects: object == nil)
        guard rows.count > 1 else {
            context.errors.writeLine("No events found.")
            return CommandExitCode.success
        }
        for line in TableText.lines(rows) { context.output.writeLine(line) }
        return CommandExitCode.success
    }

    private func events(_ api: any ControlPlaneAPI) async throws -> EventRows {
        if let object {
            let arguments = try ObjectArguments([object])
            return try await EventRows(of: arguments.key(arguments.names[0], namespace: namespace.namespace), api)
        }
        let space = allNamespaces ? nil : namespace.namespace
        return EventRows(try await api.list(eventQuery(namespace: space, fields: nil)).items)
    }
}
