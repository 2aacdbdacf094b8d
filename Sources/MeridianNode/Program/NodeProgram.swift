// NodeProgram: the node role put together: edge, runners, supply, control socket.
internal import CLinux
internal import Glibc
internal import Logging
internal import MeridianContent
internal import MeridianEdge
internal import MeridianModel
internal import MeridianPorts
internal import MeridianRegistry
internal import MeridianRouting
internal import MeridianRunners
internal import ServiceLifecycle
internal import UnixSignals

/// How `meridian node` runs.
package struct NodeOptions: Sendable {
    /// The data directory that the node shares with its control plane.
    package var data: String
    /// Where the edge listens, `IP:PORT` or `[IPv6]:PORT`; port 0 takes any free one.
    package var edges: [String]
    /// Where the edge speaks TLS, in the same form.
    package var secureEdges: [String] = []
    /// Address ranges of balancers that speak the PROXY protocol, such as `10.0.0.0/8`.
    package var proxyRanges: [String] = []
    /// Where GET /metrics is answered besides the control socket, as ADDRESS:PORT; nil: nowhere.
    package var metrics: String?
    package var name: String
    /// Threads of the edge; nil: one per processor that the process may run on.
    package var loops: Int?

    package init(data: String, edges: [String], name: String, loops: Int? = nil) {
        self.data = data
        self.edges = edges
        self.name = name
        self.loops = loops
    }
}

/// The `meridian node` role.
package enum NodeProgram {
    /// More loops than this gain nothing in front of one machine's runners.
    private static let loopsMax = 8
    /// How long requests in flight may take when the node drains: the default request timeout.
    private static let drainMax = Duration.seconds(30)
    /// Draining and stopping the runners together; what is left then is killed.
    private static let shutdownMax = Duration.seconds(40)
    /// The grace of runners that are left after `shutdownMax`: they have had SIGTERM already.
    private static let lastGrace = Duration.seconds(1)

    /// Runs until SIGTERM or SIGINT, then drains and returns.
    ///
    /// - Throws: `NodeError` where the node cannot start.
    package static func run(_ options: NodeOptions) async throws {
        // The node outlives terminals and the process that started it.
        signal(SIGHUP, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let directory = "\(options.data)/node"
        try DurableFile.createDirectory(directory, mode: 0o700)
        let lock = try NodeLock(path: "\(directory)/node.lock")
        guard let zygote = ZygoteProgram.locate() else {
            throw NodeError(
                .refused,
                "meridian-zygote is not beside the meridian program. Install both, or name it in"
                    + " $\(ZygoteProgram.environmentVariable)"
            )
        }
        // The zygote is forked while this process is small.
        let runners = try SandboxedRunners(program: zygote, dataDirectory: directory)
        let logger = nodeLogger()
        if geteuid() == 0 { try await runners.warmUp() }
        try await run(options, directory: directory, runners, logger)
        withExtendedLifetime(lock) {}
    }

    private static func run(
        _ options: NodeOptions,
        directory: String,
        _ runners: SandboxedRunners,
        _ logger: Logger
    ) async throws {
        let registry = try DirectoryRegistry(root: "\(options.data)/registry")
        let bundles = RegistryBundles(bundles: try Bundles(registry: registry, directory: "\(directory)/bundles"))
        let demands = DemandBox()
        let addresses = try options.edges.map(edgeAddress)
        var edgeConfiguration = EdgeConfiguration(
            listen: addresses,
            loops: options.loops ?? min(max(1, Int(clinux_usable_processors())), loopsMax),
            region: RegionSpec.localName
        )
        edgeConfiguration.secureListen = try options.secureEdges.map(edgeAddress)
        for text in options.proxyRanges {
            guard let range = AddressRange(text) else {
                throw NodeError(.refused, "--edge-proxy-from \"\(text)\" is no address range such as 10.0.0.0/8")
            }
            edgeConfiguration.proxyRanges.append(range)
        }
        let edge = Edge(edgeConfiguration) { demands.add($0.revision) }
        let listening = try edge.start()
        let edgeOfNode = EdgeOfNode(edge: edge, logger: logger)
        let feed = ReportFeed()
        let now = ContinuousClock.now
        let state = SupplyState(
            seed: UInt64.random(in: .min ... .max),
            clock: ReportClock(moment: now, wall: wallClock())
        )
        let supply = RunnerSupply(
            runners: runners,
            edge: edgeOfNode,
            bundles: bundles,
            demands: demands,
            state: state,
            logger: logger
        ) { feed.changed() }
        let keeper = AssignmentKeeper(
            path: "\(directory)/assignment.json",
            edge: edgeOfNode,
            assign: { orders, isComplete in
                supply.assign(orders, isComplete: isComplete)
                if isComplete { runners.forgetDenied(except: Set(orders.map(\.assignment.key))) }
            },
            onChange: { feed.changed() }
        )
        do throws(NodeError) {
            try await keeper.resume()
            try await bundles.removeUnused(keeping: await keeper.bundles)
        } catch {
            logger.error("the last assignment is not resumed", metadata: ["reason": "\(error)"])
        }
        let service = NodeService(
            name: options.name,
            instance: String(UInt64.random(in: .min ... .max), radix: 36),
            edges: listening.prefix(addresses.count).map(\.description),
            keeper: keeper,
            supply: supply,
            edge: edgeOfNode,
            runners: runners,
            bundles: bundles,
            feed: feed,
            logs: runners.logs
        )
        let drain = DrainSwitch()
        let socket = try ControlSocket(
            path: "\(directory)/node.sock",
            service: service,
            drain: drain,
            logger: logger
        )
        logger.info("node serves", metadata: ["edges": "\(listening.map(\.description).joined(separator: ", "))"])
        // Services end in the reverse order: the edge drains while runners still serve it, then the runners go, and the
        // control plane sees it all.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        if let metrics = options.metrics {
            let listener = MetricsListener(address: try edgeAddress(metrics), service: service, logger: logger)
            services.append(.init(service: listener))
        }
        var configuration = ServiceGroupConfiguration(
            services: services + [
                .init(service: socket), .init(service: supply),
                .init(service: EdgeService(edge: edge, drain: drainMax)), .init(service: feed),
                .init(service: DenialWatch(runners: runners, feed: feed)),
                .init(service: drain, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = shutdownMax
        let group = ServiceGroup(configuration: configuration)
        try await group.run()
        await edge.stop()
        await runners.shutdown(grace: lastGrace)
    }

    private static func edgeAddress(_ text: String) throws(NodeError) -> EdgeAddress {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw NodeError(.refused, "--edge \"\(text)\" is not ADDRESS:PORT")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return EdgeAddress(host: String(host), port: port)
    }

    /// Lines on standard error; `MERIDIAN_LOG_LEVEL=debug` shows the phases of cold starts.
    private static func nodeLogger() -> Logger {
        var logger = Logger(label: "node") { StreamLogHandler.standardError(label: $0) }
        let wanted = getenv("MERIDIAN_LOG_LEVEL").map { String(cString: $0) } ?? ""
        logger.logLevel = Logger.Level(rawValue: wanted) ?? .info
        return logger
    }

    private static func wallClock() -> Timestamp {
        Timestamp(milliseconds: clinux_milliseconds(CLOCK_REALTIME))
    }
}

/// Keeps the edge's place in the order of shutdown: requests in flight are finished before the runners go.
private struct EdgeService: Service {
    let edge: Edge
    let drain: Duration

    func run() async throws {
        // Waits for the shutdown; the loops run on threads of their own.
        try await gracefulShutdown()
        await edge.drain(within: drain)
    }
}
