// UpCommand: `meridian up`: the control plane in this process and a node beside it.
import ArgumentParser
import Logging
import MeridianCommands
import MeridianControlPlane

/// Runs a whole platform on this machine until ctrl-C.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run the platform on this machine; ctrl-C drains and stops it.",
        discussion: """
            The control plane runs in this process and one node beside it. If the control plane dies, the node goes on
            serving, and the next `up` adopts it with its runners.
            """
    )

    @Option(name: .shortAndLong, help: "Manifests to apply once the platform answers; may be repeated.")
    var filename: [String] = []

    @Flag(help: "Apply the manifests again whenever one of their files changes.")
    var watch = false

    @Option(help: "Where all state is kept.")
    var data = ".meridian"

    @Option(help: "Where the API listens: an address and a port. Beyond loopback it speaks TLS and wants tokens.")
    var api = "127.0.0.1:7700"

    @Option(help: "A certificate for the API in PEM form. Default beyond loopback: one of an authority of its own.")
    var apiTlsCert: String?

    @Option(help: "The private key of --api-tls-cert in PEM form.")
    var apiTlsKey: String?

    @Option(help: "A name by which clients reach the API, for its certificate; may be repeated.")
    var apiName: [String] = []

    @Option(help: "Where the edge accepts requests: an address and a port.")
    var edge = "127.0.0.1:8080"

    @Option(help: "Where the edge speaks TLS: an address and a port; nowhere by default.")
    var edgeTls: String?

    @Option(help: "Balancers whose connections begin with a PROXY protocol header, as 10.0.0.0/8; may be repeated.")
    var edgeProxyFrom: [String] = []

    @Option(help: "Where the node answers GET /metrics itself: an address and a port; nowhere by default.")
    var nodeMetrics: String?

    @Option(help: "How much is logged: trace, debug, info, warning or error.")
    var logLevel: LogLevel = .warning

    func validate() throws {
        guard SocketAddressText(api) != nil else { throw ValidationError("--api \"\(api)\" is not ADDRESS:PORT") }
        guard SocketAddressText(edge) != nil else { throw ValidationError("--edge \"\(edge)\" is not ADDRESS:PORT") }
        guard (apiTlsCert == nil) == (apiTlsKey == nil) else {
            throw ValidationError("--api-tls-cert and --api-tls-key belong together; give both")
        }
        if let edgeTls, SocketAddressText(edgeTls).map({ $0.port == 0 }) ?? true {
            throw ValidationError("--edge-tls \"\(edgeTls)\" is not ADDRESS:PORT with a port above 0")
        }
        if let nodeMetrics, SocketAddressText(nodeMetrics).map({ $0.port == 0 }) ?? true {
            throw ValidationError("--node-metrics \"\(nodeMetrics)\" is not ADDRESS:PORT with a port above 0")
        }
        if watch, filename.isEmpty { throw ValidationError("--watch needs -f") }
    }

    func run() async throws {
        guard let address = SocketAddressText(api) else {
            throw ValidationError("--api \"\(api)\" is not ADDRESS:PORT")
        }
        var logger = Logger(label: "meridian") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel.level
        var options = ControlPlaneOptions(
            data: data,
            apiHost: address.host,
            apiPort: address.port,
            edge: edge,
            version: clientVersion
        )
        if let apiTlsCert, let apiTlsKey { options.apiCertificate = (apiTlsCert, apiTlsKey) }
        options.apiNames = apiName
        options.secureEdge = edgeTls
        options.proxyRanges = edgeProxyFrom
        options.nodeMetrics = nodeMetrics
        let follower = ManifestFollower(files: filename, isFollowing: watch)
        let (ready, source) = AsyncStream.makeStream(of: ControlPlaneAddresses.self)
        let plane = ControlPlane(options, logger: logger) { source.yield($0) }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await addresses in ready {
                        announce(addresses)
                        await follower.run(data: data)
                    }
                }
                defer { group.cancelAll() }
                try await plane.run()
            }
        } catch {
            complain("error: meridian up: \(error)")
            throw ExitCode(1)
        }
    }
}

/// Prints where the platform answers.
private func announce(_ addresses: ControlPlaneAddresses) {
    say("api:  \(addresses.api)")
    addresses.notes.forEach(say)
    for edge in addresses.edges { say("edge: \(edge)") }
    if addresses.edges.isEmpty { say("edge: the node does not answer yet; see `meridian status`") }
}

/// The log levels that the command line knows.
enum LogLevel: String, ExpressibleByArgument {
    case trace, debug, info, warning, error

    var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}

/// `ADDRESS:PORT`, with an IPv6 address in brackets.
struct SocketAddressText {
    let host: String
    let port: Int

    /// Nil where `text` is of another form.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard !host.isEmpty, isBracketed || !host.contains(":") else { return nil }
        self.host = isBracketed ? String(host.dropFirst().dropLast()) : String(host)
        self.port = Int(port)
    }
}
