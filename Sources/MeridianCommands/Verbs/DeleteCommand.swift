// DeleteCommand: `meridian delete`: removes objects and waits until they are gone.

internal import ArgumentParser
internal import MeridianManifests
internal import MeridianModel

struct DeleteCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete objects, by manifests or by name.",
        usage: "meridian delete -f FILE|DIRECTORY|- [options]\nmeridian delete KIND NAME … [options]",
        discussion: "Waits until the objects are gone: an app answers the requests that it has before it goes."
    )

    @Argument(help: "The kind and the names.", completion: ObjectArguments.completion)
    var words: [String] = []

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    @Flag(inversion: .prefixedNo, help: "Wait until the objects are gone, at most a minute.") var wait = true
    @Flag(help: "An object that is not there is no error.") var ignoreNotFound = false

    func validate() throws {
        guard words.isEmpty != manifests.files.isEmpty else {
            throw ValidationError("Give -f FILE, or a kind and names.")
        }
        guard !words.isEmpty else { return }
        guard try !ObjectArguments(words).names.isEmpty else {
            throw ValidationError("Name what to delete: \(words[0]) NAME.")
        }
    }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let keys = try keys(context)
        return try await connection.withServer(context) { try await delete(keys, $0, context) }
    }

    private func delete(
        _ keys: [ObjectKey],
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws -> Int32 {
        var isComplete = true
        var begun: [ObjectKey] = []
        for key in keys {
            if try await api.delete(key, uid: nil) {
                begun.append(key)
                if !wait { context.output.writeLine("\(key.reference) is being deleted") }
            } else if !ignoreNotFound {
                isComplete = false
                context.errors.write(errorLine(notFound(try knownKind(key.kind), key.name, key.namespaceIfAny)))
            }
        }
        if wait { try await waitUntilGone(begun, api, context) }
        return isComplete ? CommandExitCode.success : CommandExitCode.failure
    }

    private func keys(_ context: CommandContext) throws -> [ObjectKey] {
        guard words.isEmpty else {
            let arguments = try ObjectArguments(words)
            return arguments.names.map { arguments.key($0, namespace: namespace.namespace) }
        }
        let declared = try manifests.objects(context, namespace: namespace.namespace, checkingSources: false)
        return OutgoingObjects.deletionOrder(declared).map(\.key)
    }

    private func waitUntilGone(
        _ keys: [ObjectKey],
        _ api: any ControlPlaneAPI,
        _ context: CommandContext
    ) async throws {
        let patience = Patience(seconds: Patience.secondsMax)
        for key in keys {
            try await patience.until(
                "\(key.reference) is gone",
                "It goes on; look again with: meridian get \(key.reference)"
            ) {
                try await api.object(key) == nil
            }
            context.output.writeLine("\(key.reference) deleted")
        }
    }
}
