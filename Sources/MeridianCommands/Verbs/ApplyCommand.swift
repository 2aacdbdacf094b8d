// ApplyCommand: `meridian apply`: makes the platform agree with manifests, and waits for it where asked.

internal import ArgumentParser
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPlanning

/// Who checks a dry run.
enum DryRun: String, ExpressibleByArgument, CaseIterable {
    /// No server is asked.
    case client
    /// The server says what each object would become.
    case server
}

struct ApplyCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Make the platform agree with manifests.",
        discussion: """
            Nothing is sent while a manifest has an error. The source of every App is packed and uploaded, unless the \
            server has it. Objects that are the same already are left alone. A field that was applied before and is \
            missing from the manifest now is removed; fields that others own stay, and setting one of them to another \
            value is refused without --force-conflicts.
            """
    )

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions
    @OptionGroup var owner: FieldManagerOptions
    @OptionGroup var ownership: OwnerOptions
    @OptionGroup var pruning: PruneOptions

    @Flag(help: "Take the fields that others own with another value.") var forceConflicts = false

    @Option(
        help: ArgumentHelp("Change nothing: print what would be sent, or ask the server.", valueName: "client|server")
    )
    var dryRun: DryRun?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Print the objects that were applied.", valueName: "yaml|json|name")
    )
    var output: DocumentFormat?

    @Option(
        name: .long,
        defaultAsFlag: "5m",
        help: ArgumentHelp("Wait until every app serves its new version, at most this long.", valueName: "duration")
    )
    var wait: String?

    func validate() throws {
        try manifests.requireFiles()
        if pruning.prune, ownership.owner == nil { throw ValidationError("--prune needs --owner NAME.") }
        guard let wait else { return }
        guard Duration(text: wait) != nil else {
            throw ValidationError("--wait \(wait): give a duration such as 30s, 5m or 1h30m.")
        }
        guard dryRun == nil else { throw ValidationError("--wait and --dry-run exclude each other.") }
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let declared = try manifests.objects(context, namespace: namespace.namespace)
        let outgoing = try OutgoingObjects(declared, context, owner: ownership)
        guard dryRun != .client else { return printWouldBeSent(outgoing, context) }
        return try await connection.withServer(context) { try await send(outgoing, to: $0, context) }
    }

    private func send(
        _ outgoing: OutgoingObjects,
        to api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> Int32 {
        if dryRun == nil { try await outgoing.uploadSources(to: api) }
        let applied = try await apply(outgoing.objects, api, context)
        if let output { context.output.write(output.text(applied.map(\.object.hidingManagedFields))) }
        if pruning.prune, let owner = ownership.owner {
            try await prune(outgoing.objects.map(\.key), of: owner, api, context)
        }
        return try await waitForApps(applied, api, context)
    }

    private func printWouldBeSent(_ outgoing: OutgoingObjects, _ context: CommandContext) -> Int32 {
        let objects = outgoing.objects.map(\.json.hidingSecrets)
        context.output.write((output ?? .yaml).text(objects))
        return CommandExitCode.success
    }

    /// Applies every object, each told as soon as it is done; an error ends the run and says what was done before.
    private func apply(
        _ objects: [OutgoingObject],
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> [AppliedObject] {
        var applied: [AppliedObject] = []
        let options = ApplyOptions(
            isDryRun: dryRun == .server,
            manager: owner.fieldManager,
            isForced: forceConflicts
        )
        for object in objects {
            do {
                let result = try await api.apply(object.json, object.key, options)
                if output == nil { context.output.writeLine(result.line + (dryRun == .server ? " (dry run)" : "")) }
                applied.append(result)
            } catch let error as ControlPlaneError {
                let place = "\(object.declared.place(of: .root)): \(object.declared.reference)"
                let done = "\(applied.count) of \(objects.count) objects were applied before"
                throw error.conflicts.isEmpty
                    ? CommandFailure(place, error.message, next: done)
                    : conflictFailure(place, error.conflicts, next: done)
            }
        }
        return applied
    }

    /// Deletes what the owner applied before and the files no longer declare; everything of them is applied by now.
    private func prune(
        _ declared: [ObjectKey],
        of owner: String,
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws {
        let owned = try await objects(ownedBy: owner, api)
        let decision = pruning.decision(owned: owned.map(\.key), declared: Set(declared))
        for kept in decision.kept { context.errors.writeLine("\(kept.key.reference) \(kept.why)") }
        if let refusal = decision.refusal {
            throw CommandFailure(
                "--prune",
                "\(refusal); nothing was deleted",
                next: "Check the files. To delete them nevertheless, add --allow-large-prune"
            )
        }
        for key in decision.prune {
            // Only what was looked at: an object that was made anew meanwhile is somebody else's.
            if dryRun == nil { _ = try await api.delete(key, uid: owned.first { $0.key == key }?.uid) }
            context.output.writeLine("\(key.reference) pruned" + (dryRun == nil ? "" : " (dry run)"))
        }
    }

    /// The failure of an apply that would change fields of others: who owns which, and what can be done.
    private func conflictFailure(
        _ place: String,
        _ conflicts: [(field: String, owner: String)],
        next done: String
    ) -> CommandFailure {
        let lines = conflicts.map { "\n  \($0.field.drop { $0 == "." }) is owned by \($0.owner)" }
        let what = conflicts.count == 1 ? "a field that another owns" : "\(conflicts.count) fields that others own"
        return CommandFailure(
            place,
            "would change \(what):\(lines.joined())",
            next: "Leave them out of the manifest, or take them with --force-conflicts. \(done)"
        )
    }

    private func waitForApps(
        _ applied: [AppliedObject],
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> Int32 {
        guard let timeout = wait.flatMap({ Duration(text: $0) }) else { return CommandExitCode.success }
        let apps = applied.filter { $0.key.kind == App.kind }.map { AppGoal(key: $0.key, generation: $0.generation) }
        let waiting = AppWait(apps: apps, timeout: timeout, api: api, context: context)
        return try await waiting.run() ? CommandExitCode.success : CommandExitCode.failure
    }
}
