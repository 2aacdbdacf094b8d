// VersionCommand: `meridian version`: the versions of this program and of the server.

internal import ArgumentParser
internal import MeridianModel

/// The version of this program.
package let clientVersion = "0.1.0"

struct VersionCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the versions of this program and of the server.")

    @OptionGroup var connection: ConnectionOptions
    @Flag(help: "Do not ask the server.") var client = false

    func execute(_ context: CommandContext) async throws -> Int32 {
        context.output.writeLine("client  \(clientVersion)")
        if !client { context.output.writeLine("server  \(await serverLine(context))") }
        return CommandExitCode.success
    }

    /// The server's version and URL, or why there is none; a server is not needed for this verb.
    private func serverLine(_ context: CommandContext) async -> String {
        do {
            let api = try connection.connect(context)
            let version = try await api.version()
            let text = version["version"]?.string ?? version["gitVersion"]?.string ?? "of unknown version"
            return "\(text) at \(api.address)"
        } catch {
            return "none: \((error as? any CustomStringConvertible)?.description ?? "\(error)")"
        }
    }
}
