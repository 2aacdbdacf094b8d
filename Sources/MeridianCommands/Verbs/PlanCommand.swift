// PlanCommand: `meridian plan`: the steps that the loop would take, and why.

internal import ArgumentParser
internal import MeridianModel

struct PlanCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show the steps that applying manifests, or merging a branch, would lead to, and why.",
        discussion: """
            Nothing is written and no source is uploaded. Without -f it shows what the loop would do now. Exits 0 where \
            there is nothing to do, 2 where there are steps, 1 after an error. -o json is described by schemas/plan.json.
            """
    )

    private static let changesExitCode: Int32 = 2

    /// How a plan is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
        /// For a pull request.
        case markdown
    }

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    @Option(
        help: ArgumentHelp("Plan what a merge would cause: the commits before and after it.", valueName: "rev1..rev2")
    )
    var git: String?

    @Option(
        help: ArgumentHelp("The repository, with --git.", valueName: "directory"),
        completion: .directory
    )
    var repository = "."

    @Option(help: ArgumentHelp("The directory of the manifests in the repository, with --git.", valueName: "path"))
    var path = "."

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print the plan.", valueName: "text|json|markdown"))
    var output: Format = .text

    func validate() throws {
        guard let git else { return }
        guard GitRange(git) != nil else {
            throw ValidationError("--git \"\(git)\": give two commits as BEFORE..AFTER, such as main..feature.")
        }
        guard manifests.files.isEmpty else { throw ValidationError("--git and -f exclude each other.") }
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let plan: PlanText
        if let range = git.flatMap({ GitRange($0) }) {
            plan = try await planOfMerge(range, context)
        } else {
            let declared = try manifests.objects(context, namespace: namespace.namespace)
            let outgoing = try OutgoingObjects(declared, context)
            let document = try await connection.withServer(context) {
                try await $0.plan(outgoing.objects.map(\.json), removing: [])
            }
            plan = PlanText(document)
        }
        switch output {
        case .text: context.output.write(plan.text)
        case .json: context.output.write(plan.json.text(pretty: true) + "\n")
        case .markdown: context.output.write(PlanMarkdown(plan: plan, title: git ?? "now").text)
        }
        guard plan.problems.isEmpty else { return CommandExitCode.failure }
        return plan.hasChanges ? Self.changesExitCode : CommandExitCode.success
    }

    /// The plan of the objects that differ between two commits, with what becomes of those whose files go.
    private func planOfMerge(_ range: GitRange, _ context: CommandContext) async throws -> PlanText {
        let comparison = try await GitComparison.read(
            range,
            in: repository,
            path: path,
            namespace: namespace.namespace,
            context
        )
        return try await connection.withServer(context) { api in
            let (pruned, kept) = comparison.removals(try await gitSources(api))
            let changes = comparison.changes(pruned: pruned, kept: kept)
            let objects = comparison.changed.map(\.config)
            // Without a change nothing is asked: an empty question means what the loop does anyway.
            let document: JSONValue =
                objects.isEmpty && pruned.isEmpty
                ? PlanDocument().encoded(explicit: true) : try await api.plan(objects, removing: pruned)
            return PlanText(document, changes: changes, problems: comparison.problems)
        }
    }
}

/// The GitSources of the server.
func gitSources(_ api: any ControlPlaneAPI) async throws -> [GitSource] {
    let kind = try knownKind(GitSourceSpec.kind)
    return try await api.list(ObjectQuery(kind: kind, namespace: nil, labels: nil, fields: nil)).items.map { item in
        var context = DecodingContext()
        if let source = GitSource.decode(item, at: FieldPath(), &context) { return source }
        let name = item["metadata"]?["name"]?.string ?? "?"
        throw CommandFailure(
            "gitsource/\(name)",
            context.problems.first?.message ?? "it cannot be read",
            next: "Use a meridian of the server's version"
        )
    }
}
