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
        help: ArgumentHelp(
            "A file with the certificate of whoever vouches for the server. Default: $MERIDIAN_CERTIFICATE_AUTHORITY.",
            valueName: "file"
        ),
        completion: .file()
    )
    var certificateAuthority: String?

    @Option(
        help: ArgumentHelp(
            "An access token. Others on this machine may see it; prefer --token-file or $MERIDIAN_TOKEN.",
            valueName: "token"
        )
    )
    var token: String?

    @Option(help: ArgumentHelp("A file with an access token.", valueName: "file"), completion: .file())
    var tokenFile: String?

    @Option(
        help: ArgumentHelp("The data directory of \"meridian up\".", valueName: "directory"),
        completion: .directory
    )
    var data = "./.meridian"

    /// The server and the credentials for it.
    func access(_ context: CommandContext) throws(CommandFailure) -> ServerAccess {
        let address = ServerAddress(
            server: server,
            certificateAuthorityFile: certificateAuthority,
            token: token,
            tokenFile: tokenFile,
            dataDirectory: data,
            environment: context.environment
        )
        return try address.access()
    }

    /// Runs `body` with a client of the server, which is closed afterwards.
    func withServer<Value>(
        _ context: CommandContext,
        _ body: (any ControlPlaneAPI) async throws -> Value
    ) async throws -> Value {
        let api = try context.connect(try access(context))
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
