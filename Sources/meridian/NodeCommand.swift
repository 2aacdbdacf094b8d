// NodeCommand: `meridian node`: the role that `up` starts beside itself.
import ArgumentParser
import MeridianNode

/// Runs an edge and its runners until SIGTERM.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run a node: an edge and its runners; `up` starts one by itself.",
        shouldDisplay: false
    )

    @Option(help: "The data directory that the node shares with its control plane.")
    var data = ".meridian"

    @Option(help: "Where the edge accepts requests; may be repeated.")
    var edge: [String] = ["127.0.0.1:8080"]

    @Option(help: "Where the edge speaks TLS; may be repeated.")
    var edgeTls: [String] = []

    @Option(help: "Balancers whose connections begin with a PROXY protocol header, as 10.0.0.0/8; may be repeated.")
    var edgeProxyFrom: [String] = []

    @Option(help: "Where GET /metrics is answered: an address and a port; on the control socket alone by default.")
    var metrics: String?

    @Option(help: "The node's name.")
    var name = "local"

    @Option(help: "Threads of the edge; one per usable processor by default.")
    var loops: Int?

    func run() async throws {
        do {
            var options = NodeOptions(data: data, edges: edge, name: name, loops: loops)
            options.secureEdges = edgeTls
            options.proxyRanges = edgeProxyFrom
            options.metrics = metrics
            try await NodeProgram.run(options)
        } catch {
            complain("error: meridian node: \(error)")
            throw ExitCode(1)
        }
    }
}
