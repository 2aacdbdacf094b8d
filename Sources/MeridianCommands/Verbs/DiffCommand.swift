// DiffCommand: `meridian diff`: what applying manifests would change in the objects of the server.

internal import ArgumentParser
internal import MeridianManifests
internal import MeridianMerging
internal import MeridianModel

struct DiffCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what applying manifests would change.",
        discussion: """
            Prints a unified diff from each live object to what the server would make of it, and the syscalls that a \
            changed allowlist adds and removes; nothing is written. Exits 0 where nothing differs, 1 where something \
            does, 2 after an error.
            """
    )

    static let errorExitCode: Int32 = 2
    private static let differsExitCode: Int32 = 1

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var ownership: OwnerOptions
    @OptionGroup var owner: FieldManagerOptions

    func validate() throws { try manifests.requireFiles() }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let declared = try manifests.objects(context, namespace: namespace.namespace)
        let outgoing = try OutgoingObjects(declared, context, owner: ownership)
        let differs = try await connection.withServer(context) { try await printDifferences(outgoing, $0, context) }
        return differs ? Self.differsExitCode : CommandExitCode.success
    }

    /// Prints what would change, object by object; whether anything would.
    private func printDifferences(
        _ outgoing: OutgoingObjects,
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> Bool {
        var differs = false
        // By force: what others own and the manifest says otherwise is a difference, too.
        let options = ApplyOptions(isDryRun: true, manager: owner.fieldManager, isForced: true)
        let allowlists = AllowlistDiff(outgoing.objects, api)
        for object in outgoing.objects {
            let live = try await api.object(object.key)
            let wanted = try await api.apply(object.json, object.key, options)
            let text = objectDiff(
                live: live,
                wanted: wanted.object,
                kind: object.declared.kind,
                name: object.key.description
            )
            guard !text.isEmpty else { continue }
            differs = true
            context.output.write(text)
            context.output.write(try await allowlists.line(object.key, live: live, wanted: wanted.object))
        }
        return differs
    }
}
