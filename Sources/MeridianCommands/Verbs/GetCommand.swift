// GetCommand: `meridian get`: objects as a table, as documents, or as they change.

internal import ArgumentParser
internal import MeridianModel

struct GetCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "List objects of a kind, or show some by name.",
        usage: "meridian get KIND [NAME …] [options]\nmeridian get KIND/NAME [options]"
    )

    @Argument(help: "The kind, and names where only some objects are meant.", completion: ObjectArguments.completion)
    var words: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print.", valueName: "wide|yaml|json|name"))
    var output: OutputFormat?

    @Flag(name: .shortAndLong, help: "Go on and print every change.") var watch = false

    @Option(
        name: [.customShort("l"), .customLong("selector")],
        help: ArgumentHelp("Only objects with these labels: app=hello,tier!=test.", valueName: "selector")
    )
    var labels: String?

    @Flag(name: [.customShort("A"), .long], help: "Objects of all namespaces.") var allNamespaces = false

    @Flag(help: "With -o yaml and json, show who owns which fields.") var showManagedFields = false

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    func validate() throws {
        let arguments = try ObjectArguments(words)
        guard !arguments.names.isEmpty else { return }
        guard labels == nil else { throw ValidationError("Give names or a selector, not both.") }
        guard !allNamespaces else { throw ValidationError("An object is named within one namespace; leave out -A.") }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let arguments = try ObjectArguments(words)
        let query = query(arguments)
        let list = try await listed(arguments, query, api)
        var printer = ObjectPrinter(
            kind: arguments.kind,
            format: output,
            showsNamespace: allNamespaces,
            now: context.now
        )
        if list.items.isEmpty, !watch {
            let place = query.namespace.map { " in namespace \($0)" } ?? ""
            if output == nil || output == .wide {
                context.errors.writeLine("No \(arguments.kind.plural) found\(place).")
            }
        }
        context.output.write(printer.text(list.items.map(shown), isStream: watch))
        guard watch else { return CommandExitCode.success }
        let names = Set(arguments.names)
        let changes = LiveObjects(api: api, query: query, context: context)
        try await changes.follow(after: list) { change in
            guard names.isEmpty || names.contains(change.object["metadata"]?["name"]?.string ?? "") else { return }
            context.output.write(printer.text([shown(change.object)], isStream: true))
        }
        return CommandExitCode.success
    }

    private func shown(_ object: JSONValue) -> JSONValue { showManagedFields ? object : object.hidingManagedFields }

    private func query(_ arguments: ObjectArguments) -> ObjectQuery {
        let isNarrow = arguments.kind.isNamespaced && !allNamespaces
        // A watch of one object asks for that one; of several, for all, and picks.
        let fields = arguments.names.count == 1 ? "metadata.name=\(arguments.names[0])" : nil
        return ObjectQuery(
            kind: arguments.kind,
            namespace: isNarrow ? namespace.namespace : nil,
            labels: labels,
            fields: fields
        )
    }

    private func listed(
        _ arguments: ObjectArguments,
        _ query: ObjectQuery,
        _ api: any ControlPlaneAPI
    ) async throws -> ObjectList {
        var list = try await api.list(query)
        guard !arguments.names.isEmpty else { return list }
        let byName = Dictionary(list.items.map { ($0["metadata"]?["name"]?.string ?? "", $0) }) { first, _ in first }
        list.items = try arguments.names.map { name in
            guard let object = byName[name] else { throw notFound(arguments.kind, name, query.namespace) }
            return object
        }
        return list
    }
}

/// The error for an object that is not there.
func notFound(_ kind: Kind, _ name: String, _ namespace: String?) -> CommandFailure {
    let place = namespace.map { " in namespace \($0)" } ?? ""
    return CommandFailure(
        "\(kind.singular)/\(name)",
        "not found\(place)",
        next: "See what there is with: meridian get \(kind.plural)"
    )
}
