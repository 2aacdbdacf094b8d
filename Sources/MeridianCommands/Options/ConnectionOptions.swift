// ConnectionOptions: the options that name the server and the namespace.

internal import ArgumentParser
internal import MeridianManifests

/// Which server a verb talks to.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server. Default: $MERIDIAN_SERVER, else the running \"up\" of the data directory.",
            valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("The data directory of \"meridian up\".", valueName: "directory"), completion: .directory)
    var data = "./.meridian"

    /// A client of the server.
    func connect(_ context: CommandContext) throws -> any ControlPlaneAPI {
        let address = ServerAddress(option: server, dataDirectory: data, environment: context.environment)
        return try context.connect(try address.url())
    }
}

/// The namespace of objects that name none.
struct NamespaceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The namespace of objects that name none.")
    var namespace = TypedManifests.defaultNamespace
}
