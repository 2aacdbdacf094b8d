// KubeconfigCommand: `meridian kubeconfig`: what kubectl needs to know of the running server.

internal import ArgumentParser
internal import MeridianContent
internal import MeridianModel

struct KubeconfigCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig",
        abstract: "Print a kubeconfig for the server, with its certificate authority and the token.",
        discussion: """
            Write it to a file of your own and name that in $KUBECONFIG: whoever has the file has the token's rights. \
            --token or --token-file put another token in.
            """
    )

    /// What cluster, user and context are called.
    private static let name = "meridian"

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    func execute(_ context: CommandContext) async throws -> Int32 {
        let access = try connection.access(context)
        guard access.url.hasPrefix("http://") || access.url.hasPrefix("https://") else {
            throw CommandFailure(access.url, "kubectl cannot reach it", next: "Name an http:// or https:// URL")
        }
        context.output.write(Self.document(access, namespace: namespace.namespace).yamlText)
        return CommandExitCode.success
    }

    /// The document as kubectl reads it (`v1` of `Config`).
    private static func document(_ access: ServerAccess, namespace: String) -> JSONValue {
        let name = JSONValue.string(name)
        var cluster = JSONObject()
        cluster["server"] = .string(access.url)
        cluster["certificate-authority-data"] = access.certificateAuthority.map {
            .string(Base64.text(of: Array($0.utf8)))
        }
        var user = JSONObject()
        user["token"] = access.token.map { .string($0) }
        let context: JSONValue = ["cluster": name, "user": name, "namespace": .string(namespace)]
        return [
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [["name": name, "cluster": .object(cluster)]],
            "users": [["name": name, "user": .object(user)]],
            "contexts": [["name": name, "context": context]],
        ]
    }
}
