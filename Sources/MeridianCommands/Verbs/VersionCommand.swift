// VersionCommand: `meridian version`: the versions of this program and of the server.

internal import ArgumentParser
internal import MeridianModel

/// The version of this program.
package let clientVersion = "0.1.0"

struct VersionCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this program and of the server."
    )

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
            return try await connection.withServer(context) {
                "\(serverVersion(try await $0.version())) at \($0.address)"
            }
        } catch {
            return "none: \((error as? any CustomStringConvertible)?.description ?? "\(error)")"
        }
    }
}

/// Meridian's version in the answer of `/version`, which speaks of Kubernetes first.
func serverVersion(_ answer: JSONValue) -> String {
    answer["meridian"]?.string ?? answer["gitVersion"]?.string ?? "unknown"
}
