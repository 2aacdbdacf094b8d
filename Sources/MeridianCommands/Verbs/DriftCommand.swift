// DriftCommand: `meridian drift`: where live objects are not what their repositories say.

internal import ArgumentParser
internal import MeridianMerging
internal import MeridianModel

struct DriftCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "Show where live objects are not what their Git repositories say.",
        discussion: """
            Lists what the GitSources found and left: with spec.drift: selfHeal that is little, with report everything. \
            Exits 0 where nothing differs, 1 where something does, 2 after an error.
            """
    )

    static let errorExitCode: Int32 = 2
    private static let differsExitCode: Int32 = 1

    /// How drift is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Argument(help: "The names of GitSources; all where none is given.") var names: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print.", valueName: "text|json"))
    var output: Format = .text

    @OptionGroup var connection: ConnectionOptions

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let sources = try await chosen(api)
        switch output {
        case .text: context.output.write(text(sources))
        case .json: context.output.write(json(sources).text(pretty: true) + "\n")
        }
        let differs = sources.contains { !$0.status.drift.isEmpty }
        return differs ? Self.differsExitCode : CommandExitCode.success
    }

    private func chosen(_ api: any ControlPlaneAPI) async throws -> [GitSource] {
        let all = try await gitSources(api)
        guard !names.isEmpty else { return all }
        let kind = try knownKind(GitSourceSpec.kind)
        return try names.map { name in
            let plain = name.hasPrefix("gitsource/") ? String(name.dropFirst("gitsource/".count)) : name
            guard let source = all.first(where: { $0.metadata.name == plain }) else { throw notFound(kind, plain, nil) }
            return source
        }
    }

    private func text(_ sources: [GitSource]) -> String {
        guard !sources.isEmpty else { return "No GitSources found.\n" }
        var lines: [String] = []
        for source in sources {
            let commit = source.status.appliedCommit.map { String($0.prefix(12)) } ?? "no commit"
            let count = source.status.drift.count
            let words =
                count == 0 ? "nothing differs" : "\(counted(count, "object")) \(count == 1 ? "differs" : "differ")"
            lines.append("gitsource/\(source.metadata.name) (\(commit) applied): \(words)")
            // Before the first look nothing is known, and saying that nothing differs would be a guess.
            if source.status.conditions.condition("Drifted") == nil { lines[lines.count - 1] += ", as far as is known" }
            for drift in source.status.drift {
                let fields = drift.fields.isEmpty ? "" : ": " + drift.fields.joined(separator: ", ")
                lines.append("  \(drift.key) \(drift.message)\(fields)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func json(_ sources: [GitSource]) -> JSONValue {
        .array(
            sources.map { source in
                [
                    "source": .string(source.metadata.name),
                    "appliedCommit": source.status.appliedCommit.map { .string($0) } ?? .null,
                    "drift": .array(source.status.drift.map { $0.encoded(explicit: true) }),
                ]
            }
        )
    }
}
