// ConnectionOptions: the options that name the server and the namespace.

internal import ArgumentParser
internal import MeridianManifests

/// Which server a verb talks to.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server. Default: $MERIDIAN_SERVER, else the running \"up\" of the data directory.",
            valueName: "url"
        )
    )
    var server: String?

    @Option(
        help: ArgumentHelp("The data directory of \"meridian up\".", valueName: "directory"),
        completion: .directory
    )
    var data = "./.meridian"

    /// Runs `body` with a client of the server, which is closed afterwards.
    func withServer<Value>(
        _ context: CommandContext,
        _ body: (any ControlPlaneAPI) async throws -> Value
    ) async throws -> Value {
        let address = ServerAddress(option: server, dataDirectory: data, environment: context.environment)
        let api = try context.connect(try address.url())
        do {
            let value = try await body(api)
            await api.shutdown()
            return value
        } catch {
            await api.shutdown()
            throw error
        }
    }
}

/// The namespace of objects that name none.
struct NamespaceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The namespace of objects that name none.")
    var namespace = TypedManifests.defaultNamespace
}
