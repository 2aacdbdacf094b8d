// ControlPlane: the parts put together: store, registry, builder, loop, API and the node beside them.
package import Logging
import MeridianAPIClient
import MeridianAPIServer
import MeridianBuilds
import MeridianContent
import MeridianControl
import MeridianGit
import MeridianModel
import MeridianPorts
import MeridianRegistry
import MeridianRunners
import MeridianStore
import ServiceLifecycle
import UnixSignals

/// How `meridian up` runs.
package struct ControlPlaneOptions: Sendable {
    package var data: String
    package var apiHost: String
    /// 0: any free port.
    package var apiPort: Int
    /// Where the node's edge listens, `IP:PORT`.
    package var edge: String
    /// Where the node's edge speaks TLS, `IP:PORT`; nil: nowhere.
    package var secureEdge: String?
    /// Ranges of balancers that speak the PROXY protocol to the node's edge.
    package var proxyRanges: [String] = []
    /// Where the node answers GET /metrics itself; nil: nowhere.
    package var nodeMetrics: String?
    package var version: String
    /// Files with a certificate for the API and its key; nil: one of Meridian's own where the API needs one.
    package var apiCertificate: (certificate: String, key: String)?
    /// What else clients call this machine, for Meridian's own certificate.
    package var apiNames: [String] = []

    package init(data: String, apiHost: String, apiPort: Int, edge: String, version: String) {
        self.data = data
        self.apiHost = apiHost
        self.apiPort = apiPort
        self.edge = edge
        self.version = version
    }
}

/// What is known once the platform answers.
package struct ControlPlaneAddresses: Sendable {
    /// `http://127.0.0.1:7700`.
    package let api: String
    /// `http://127.0.0.1:8080`, one per edge address.
    package let edges: [String]
    /// What was done about certificates and tokens, a line each.
    package let notes: [String]
}

/// The control plane of one machine.
package struct ControlPlane: Sendable {
    private let options: ControlPlaneOptions
    private let logger: Logger
    private let onReady: @Sendable (ControlPlaneAddresses) async -> Void

    /// The name of the one node.
    private static let nodeName = "local"

    /// `onReady`: called once the API and the edge accept requests.
    package init(
        _ options: ControlPlaneOptions,
        logger: Logger,
        onReady: @escaping @Sendable (ControlPlaneAddresses) async -> Void
    ) {
        self.options = options
        self.logger = logger
        self.onReady = onReady
    }

    /// Runs until SIGTERM, SIGINT or cancellation; then drains the node and returns.
    package func run() async throws {
        let directory = try DataDirectory(options.data)
        guard let zygote = ZygoteProgram.locate() else {
            throw ControlPlaneError(
                "meridian-zygote is not beside the meridian program. Install both, or name it in"
                    + " $\(ZygoteProgram.environmentVariable)"
            )
        }
        try directory.prepare()
        let clock = SystemClock()
        let store = try SQLiteStore(directory: directory.path, clock: clock)
        let registry = try DirectoryRegistry(root: directory.registry)
        let builder = SandboxedBuilder(
            BuilderConfiguration(
                directory: directory.builds,
                logs: directory.logs,
                hidden: [directory.path],
                zygote: zygote
            ),
            registry: registry
        )
        let node = NodeClient(socket: directory.nodeSocket)
        let sealing = try KeySealing(directory)
        sealing.keyring.report(to: logger)
        let notes = BuildNotes(store: store, clock: clock)
        let pool = ActivityPool(notes: notes)
        let keeper = RegistryKeeper(registry: registry, store: store, clock: clock, logger: logger)
        let audit = AuditLog(path: directory.auditLog, clock: clock, logger: logger)
        defer { audit.flush() }
        let ports = ExecutorPorts(
            store: AuditedStore(store, part: "loop", audit: audit, clock: clock, random: SystemRandom()),
            registry: registry,
            builder: builder,
            nodes: [Self.nodeName: node],
            git: repositories(directory, registry),
            writer: ObjectWriter(
                store: store,
                sealing: sealing,
                audit: audit,
                clock: clock,
                random: SystemRandom()
            ),
            sealing: sealing,
            clock: clock,
            random: SystemRandom()
        )
        let reconciler = Reconciler(
            ports: ports,
            logger: logger,
            start: { pool.start($0, $1) },
            cancel: { pool.cancel($0) }
        )
        let backends = APIBackends(
            plan: PlanBackend(reconciler: reconciler),
            logs: LogBackend(store: store, builds: builder.logs, nodes: [node]),
            blobs: RegistryUploads(registry: registry, directory: directory.uploads),
            status: StatusBackend(
                reconciler: reconciler,
                audit: audit,
                version: options.version,
                startedAt: clock.now
            ),
            hooks: GitHooks(reconciler: reconciler, store: store, sealing: sealing),
            audit: AuditReading(log: audit, path: directory.auditLog),
            sealKeys: SealKeys(keyring: sealing.keyring, clock: clock),
            backups: PlatformBackup(
                directory,
                store: store,
                registry: registry,
                clock: clock,
                version: options.version
            ),
            measures: MeasuresBackend(
                nodes: [Self.nodeName: node],
                reconciler: reconciler,
                version: options.version,
                startedAt: clock.now
            ),
            learning: LearnBackend(reconciler: reconciler, sealing: sealing, nodes: [node])
        )
        let edgeAddresses = EdgeAddresses([options.edge])
        let access = try await APIAccess(options, directory, store: store, clock: clock)
        let ready = ReadyNotice(
            directory: directory,
            node: node,
            host: access.localHost,
            access: access.local,
            edgeAddresses: edgeAddresses,
            notes: access.notes,
            onReady: onReady
        )
        let server = try APIServer(
            .init(
                host: options.apiHost,
                port: options.apiPort,
                version: options.version,
                identity: access.identity
            ),
            store: store,
            sealing: sealing,
            backends: backends,
            audit: audit,
            clock: clock,
            random: SystemRandom(),
            logger: logger,
            onListening: { await ready.apiListens(on: $0) }
        )
        let child = NodeChild(
            directory: directory,
            name: Self.nodeName,
            edgeAddresses: edgeAddresses,
            secureEdge: options.secureEdge,
            proxyRanges: options.proxyRanges,
            metrics: options.nodeMetrics,
            logger: logger
        )
        defer { ready.withdraw() }
        try await run([
            Part("node") { await child.run() }, Part("loop") { try await reconciler.run() },
            Part("activities") { await pool.run { reconciler.finish($0, $1) } }, Part("notes") { await notes.run() },
            Part("registry") { try await keeper.run() },
            Part("certificate") { try await access.keepCertificate(logger: logger) },
            server,
        ])
    }

    /// The engine that reads repositories; the platform runs without one where git is not installed.
    private func repositories(_ directory: DataDirectory, _ registry: DirectoryRegistry) -> any GitPort {
        do throws(GitError) {
            return try GitRepositories(root: directory.git, registry: registry)
        } catch {
            logger.warning("repositories cannot be read", metadata: ["reason": "\(error.message)"])
            return NoGit(because: error)
        }
    }

    /// Runs the parts together; the last one is the first to stop.
    private func run(_ parts: [any Service]) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: parts.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }
}

/// A part of the control plane that runs until it is told to stop.
private struct Part: Service {
    let name: String
    let body: @Sendable () async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // Being told to stop is how a part ends.
            return
        }
    }
}
