// DescribeCommand: `meridian describe`: all about one object, with what belongs to it and what happened to it.

internal import ArgumentParser
internal import MeridianMerging
internal import MeridianModel

struct DescribeCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show all about one object.",
        usage: "meridian describe KIND NAME [options]\nmeridian describe KIND/NAME [options]"
    )

    @Argument(help: "The kind and the name.", completion: ObjectArguments.completion)
    var words: [String] = []

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        guard try ObjectArguments(words).names.count == 1 else { throw ValidationError("Name one object: KIND NAME.") }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let arguments = try ObjectArguments(words)
        let key = arguments.key(arguments.names[0], namespace: namespace.namespace)
        guard let object = try await api.object(key) else {
            throw notFound(arguments.kind, key.name, arguments.kind.isNamespaced ? key.namespace : nil)
        }
        var text = DescribeText(object: object, kind: arguments.kind, now: context.now())
        if key.kind == App.kind {
            for kind in Kind.all where [Revision.kind, Runner.kind].contains(kind.name) {
                text.tables.append((kind.name + "s", try await rows(of: kind, app: key, api, context)))
            }
        }
        text.tables.append(("Events", try await EventRows(of: key, api).rows(now: context.now())))
        context.output.write(text.text)
        return CommandExitCode.success
    }

    /// The table of the objects of `kind` whose `spec.app` is the app.
    private func rows(
        of kind: Kind,
        app: ObjectKey,
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> [[String]] {
        let list = try await api.list(ObjectQuery(kind: kind, namespace: app.namespace))
        let own = list.items.filter { $0["spec"]?["app"]?.string == app.name }
        let table = TableText(kind: kind, now: context.now())
        return [table.header] + own.map(table.cells)
    }
}
