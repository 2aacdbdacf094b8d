// StatusCommand: `meridian status`: the whole platform on one screen.

internal import ArgumentParser
internal import MeridianModel

struct StatusCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the whole platform on one screen."
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print the server's own summary as JSON.") var json = false

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        if json {
            context.output.write(try await api.status().text(pretty: true) + "\n")
            return CommandExitCode.success
        }
        let text = StatusText(
            server: "\(api.address), version \(serverVersion(try await api.version()))",
            nodes: try await objects(of: Node.kind, api),
            apps: try await objects(of: App.kind, api)
        )
        context.output.write(text.text)
        for warning in try await api.status()["warnings"]?.array ?? [] {
            context.errors.writeLine("warning: \(warning.string ?? "")")
        }
        return CommandExitCode.success
    }

    private func objects(of kind: String, _ api: any ControlPlaneAPI) async throws -> [JSONValue] {
        try await api.list(ObjectQuery(kind: try knownKind(kind))).items
    }
}
