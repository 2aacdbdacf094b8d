// SchemaCommand: `meridian schema`: the JSON Schemas of the kinds; the one command that writes schemas/.

internal import ArgumentParser
internal import MeridianContent
internal import MeridianModel

struct SchemaCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of a kind.",
        discussion: "The schemas (draft 2020-12) are made from the types that Meridian reads manifests with."
    )

    @Argument(help: "The kind.", completion: ObjectArguments.completion)
    var kind: String?

    @Option(
        name: .customLong("all"),
        help: ArgumentHelp("Write the schema of every kind into this directory.", valueName: "directory"),
        completion: .directory
    )
    var directory: String?

    func validate() throws {
        guard (kind == nil) != (directory == nil) else {
            throw ValidationError("Name a kind, or give --all DIRECTORY.")
        }
        if let kind { _ = try knownKind(kind) }
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        if let kind { context.output.write(SchemaFile(try knownKind(kind)).text) }
        if let directory { try write(to: directory) }
        return CommandExitCode.success
    }

    private func write(to directory: String) throws {
        try DurableFile.createDirectory(directory)
        for file in SchemaFile.all {
            try DurableFile.write(Array(file.text.utf8), to: "\(directory)/\(file.name)")
        }
    }
}

/// The schema file of one kind.
struct SchemaFile {
    /// `app.json`.
    let name: String
    let text: String

    init(_ kind: Kind) {
        self.init(kind.singular, kind.schema())
    }

    private init(_ word: String, _ schema: JSONObject) {
        name = "\(word).json"
        text = JSONValue.object(schema).text(pretty: true) + "\n"
    }

    /// The schemas of all kinds and of a plan, whose document is read by programs too.
    static let all = Kind.all.map { SchemaFile($0) } + [SchemaFile("plan", PlanDocument.schemaDocument())]
}
