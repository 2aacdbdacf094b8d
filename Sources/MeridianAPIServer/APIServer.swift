// APIServer: the control plane's HTTP API as a service.
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
package import Logging
internal import MeridianModel
package import MeridianPorts
internal import NIOCore
internal import ServiceLifecycle

/// Serves the API until it is told to stop: on a loopback address as it is, elsewhere over TLS.
///
/// On shutdown no further connection is accepted, watches and log streams end, and requests in flight are answered.
package struct APIServer: Service {
    /// Where the server listens and what it calls itself.
    package struct Configuration: Sendable {
        /// An address; without `identity` one of 127.0.0.0/8, `::1` or `localhost`.
        package var host: String
        /// 0: any free port.
        package var port: Int
        /// The program's version, for `/version`.
        package var version: String
        /// What the server proves itself with; nil: it speaks plain HTTP and takes who asks for the person at this
        /// machine.
        package var identity: ServerIdentity?

        package init(
            host: String = "127.0.0.1",
            port: Int,
            version: String,
            identity: ServerIdentity? = nil
        ) {
            self.host = host
            self.port = port
            self.version = version
            self.identity = identity
        }
    }

    /// Connections at once: every watch holds one; more wait in the backlog.
    private static let connectionsMax = 4096
    /// A connection that sends nothing for so long is closed; longer than clients keep idle connections in their pools.
    private static let idleSecondsMax: Int64 = 120

    private let configuration: Configuration
    private let handler: RequestHandler
    private let collector: Collector
    private let logger: Logger
    private let onListening: @Sendable (Int) async -> Void

    /// A server that does not listen yet; throws where it would be reachable from elsewhere without TLS.
    ///
    /// `audit` is told of every request that was meant to write. `onListening` is called with the port once connections are accepted.
    package init(
        _ configuration: Configuration,
        store: any StorePort,
        sealing: any SealingPort,
        backends: APIBackends,
        audit: any AuditPort = NoAudit(),
        clock: any ClockPort,
        random: any RandomPort,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws(APIServerError) {
        guard configuration.identity != nil || isLoopbackHost(configuration.host) else {
            throw APIServerError(
                "without a certificate the API listens on loopback addresses only; \(configuration.host) is none"
            )
        }
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        collector = Collector(
            store: AuditedStore(store, part: "collector", audit: audit, clock: clock, random: random),
            clock: clock,
            logger: logger
        )
        let objects = ObjectAPI(store: store, sealing: sealing, clock: clock, random: random)
        handler = RequestHandler(
            objects: objects,
            backends: backends,
            authenticator: Authenticator(
                store: store,
                clock: clock,
                trustsLoopback: configuration.identity == nil
            ),
            auditLog: audit,
            desk: WatchDesk(store: store, clock: clock, logger: logger),
            documents: APIDocuments(version: configuration.version),
            version: configuration.version,
            logger: logger
        )
    }

    /// Serves until graceful shutdown or cancellation.
    ///
    /// - Throws: `APIServerError` where the address cannot be listened on.
    package func run() async throws {
        do throws(APIFailure) {
            try await handler.objects.makeMissingNamespaces()
        } catch {
            throw APIServerError("cannot make the namespaces that are missing: \(error.message)")
        }
        let application = try application()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await handler.desk.run() }
            group.addTask { await collector.run() }
            defer { group.cancelAll() }
            do {
                try await application.run()
            } catch let error as IOError {
                throw APIServerError(
                    "cannot listen on \(configuration.host):\(configuration.port): \(error)."
                        + " Another meridian may be running there; stop it or choose another address with --api"
                )
            }
        }
    }

    private func application() throws -> some ApplicationProtocol {
        let handler = handler
        let onListening = onListening
        let responder = CallbackResponder<ConnectionContext> { request, context in
            await handler.respond(to: request, from: context.clientAddress)
        }
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: .seconds(Self.idleSecondsMax)))
        let server = try configuration.identity.map { try .tls(plain, tlsConfiguration: $0.configuration()) } ?? plain
        return Application(
            responder: responder,
            server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionsMax)
            ),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: logger
        )
    }
}

/// The parts of the control plane that the API hands requests on to.
package struct APIBackends: Sendable {
    package var plan: any PlanPort
    package var logs: any LogPort
    package var blobs: any BlobUploadPort
    package var status: any StatusPort
    /// Nil: webhooks are not taken.
    package var hooks: (any GitHookPort)?
    /// Nil: nobody may ask who changed what.
    package var audit: (any AuditReadPort)?
    /// Nil: nothing is sealed for Git.
    package var sealKeys: (any SealKeyPort)?
    /// Nil: there is nothing to back up.
    package var backups: (any BackupPort)?
    /// Nil: nothing is measured.
    package var measures: (any MeasuresPort)?
    /// Nil: syscalls of apps are not learned.
    package var learning: (any LearnPort)?

    package init(
        plan: any PlanPort,
        logs: any LogPort,
        blobs: any BlobUploadPort,
        status: any StatusPort,
        hooks: (any GitHookPort)? = nil,
        audit: (any AuditReadPort)? = nil,
        sealKeys: (any SealKeyPort)? = nil,
        backups: (any BackupPort)? = nil,
        measures: (any MeasuresPort)? = nil,
        learning: (any LearnPort)? = nil
    ) {
        self.measures = measures
        self.learning = learning
        self.hooks = hooks
        self.audit = audit
        self.sealKeys = sealKeys
        self.backups = backups
        self.plan = plan
        self.logs = logs
        self.blobs = blobs
        self.status = status
    }
}

/// Why the API cannot be served.
package struct APIServerError: Error, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
