// TokenCommand: `meridian token create`: a token for somebody else, shown once.

internal import ArgumentParser
internal import MeridianContent
internal import MeridianModel

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make access tokens; look at and end them with get and delete accesstokens.",
        subcommands: [TokenCreateCommand.self]
    )
}

struct TokenCreateCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an access token and print it; it is shown once, and kept nowhere but as a digest."
    )

    @Argument(help: "The name of the AccessToken, as of whom it is for.") var name: String

    @Option(help: ArgumentHelp("What its holder may do: viewer, editor or admin; node for a node.", valueName: "role"))
    var role: AccessRole

    @Option(
        name: [.short, .long],
        help: "Where the role holds; may be repeated. Without it: in all namespaces and for cluster-scoped objects."
    )
    var namespace: [String] = []

    @Option(help: "The node that a token of the role node is for.") var node: String?

    @Option(help: ArgumentHelp("How long it holds, as 30d or 12h. Without it: until it is deleted.", valueName: "time"))
    var expires: DurationArgument?

    @OptionGroup var connection: ConnectionOptions

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let key = ObjectKey(kind: AccessToken.kind, name: name)
        guard try await api.object(key) == nil else {
            throw CommandFailure(
                key.reference,
                "there is one of this name",
                next: "Choose another name, or end it with: meridian delete accesstoken \(name)"
            )
        }
        let token = try TokenText(makingFor: name)
        var object = AccessToken(metadata: Metadata(name: name), spec: AccessTokenSpec())
        object.spec.role = role
        object.spec.namespaces = namespace
        object.spec.node = node
        object.spec.digest = token.digest
        object.spec.expiresAt = expires.map { context.now() + $0.duration }
        _ = try await api.apply(object.encoded(), key, ApplyOptions())
        context.errors.writeLine("\(key.reference) created; the token is shown this once")
        context.output.writeLine(token.description)
        return CommandExitCode.success
    }
}

extension AccessRole: ExpressibleByArgument {}

/// A length of time in words, as `30d`.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = Duration(text: argument), duration > .zero else { return nil }
        self.duration = duration
    }

    /// As help shows it.
    var defaultValueDescription: String { duration.text }
}
