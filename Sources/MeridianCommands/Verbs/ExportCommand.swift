// ExportCommand: `meridian export`: live objects as clean manifests that diff to nothing.

internal import ArgumentParser
internal import MeridianMerging
internal import MeridianModel

struct ExportCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Print live objects as manifests, clean enough for Git.",
        usage: "meridian export [KIND [NAME …]] [options]",
        discussion: """
            Prints what people declare, without status, defaults and what the server writes. An app's packed source is \
            named by its digest, so that applying the manifest changes nothing; remove the digest to build from the \
            path again. Values of Secrets are never shown: their fingerprints stand for them and are good for this \
            server alone.
            """
    )

    @Argument(
        help: "A kind, and names; every declared kind where none is given.",
        completion: ObjectArguments.completion
    )
    var words: [String] = []

    @Flag(name: [.customShort("A"), .long], help: "Objects of all namespaces.") var allNamespaces = false

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print.", valueName: "yaml|json"))
    var output: Format = .yaml

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    /// How manifests are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case yaml
        case json
    }

    func validate() throws {
        guard !words.isEmpty else { return }
        let arguments = try ObjectArguments(words)
        guard arguments.kind.isDeclared else {
            throw ValidationError("\(arguments.kind.plural) are written by Meridian alone and are no manifests.")
        }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let arguments = words.isEmpty ? nil : try ObjectArguments(words)
        let kinds = arguments.map { [$0.kind] } ?? Kind.all.filter(\.isDeclared)
        var manifests: [JSONValue] = []
        for kind in kinds.sorted(by: { applyRank(ofKind: $0.name) < applyRank(ofKind: $1.name) }) {
            let found = try await objects(of: kind, named: arguments?.names ?? [], api)
            manifests += found.map { exported($0, kind: kind) }
        }
        switch output {
        case .yaml: context.output.write(DocumentFormat.yaml.text(manifests))
        case .json: context.output.write(DocumentFormat.json.text(manifests))
        }
        return CommandExitCode.success
    }

    private func objects(
        of kind: Kind,
        named names: [String],
        _ api: any ControlPlaneAPI
    ) async throws -> [JSONValue] {
        let place = kind.isNamespaced && !allNamespaces ? namespace.namespace : nil
        let list = try await api.list(ObjectQuery(kind: kind, namespace: place, labels: nil, fields: nil))
        let live = list.items.filter { $0["metadata"]?["deletionTimestamp"] == nil }
        guard !names.isEmpty else { return live }
        return try names.map { name in
            guard let object = live.first(where: { $0["metadata"]?["name"]?.string == name }) else {
                throw notFound(kind, name, place)
            }
            return object
        }
    }
}

/// A live object as the manifest that it would come from: what the server writes and what is at its default is left out.
func exported(_ object: JSONValue, kind: Kind) -> JSONValue {
    var context = DecodingContext()
    // Decoding and encoding leaves defaults out; what does not decode is shown as it is.
    guard case .object(var result) = kind.read(object, &context)?.encoded(explicit: false) ?? object else {
        return object
    }
    result["status"] = nil
    var metadata = JSONObject()
    for field in ["name", "namespace", "labels", "annotations", "finalizers"] {
        guard let value = result["metadata"]?[field] else { continue }
        switch value {
        case .object(let entries):
            let kept = entries.members.filter { !$0.key.hasPrefix(OwnAnnotation.prefix) && !isClientNote($0.key) }
            if !kept.isEmpty { metadata[field] = .object(JSONObject(kept)) }
        case .array(let entries):
            let kept = entries.filter { !($0.string ?? "").hasPrefix(OwnAnnotation.prefix) }
            if !kept.isEmpty { metadata[field] = .array(kept) }
        default: metadata[field] = value
        }
    }
    result["metadata"] = .object(metadata)
    return .object(result)
}

/// Whether an annotation is a client's own bookkeeping.
private func isClientNote(_ name: String) -> Bool { name.hasPrefix("kubectl.kubernetes.io/") }
