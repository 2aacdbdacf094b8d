// APIServer: the control plane's HTTP API as a service.
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import MeridianModel
package import MeridianPorts
internal import NIOCore
internal import ServiceLifecycle

/// Serves the API on a loopback address until it is told to stop.
///
/// On shutdown no further connection is accepted, watches and log streams end, and requests in flight are answered.
package struct APIServer: Service {
    /// Where the server listens and what it calls itself.
    package struct Configuration: Sendable {
        /// `127.0.0.1`, another address of 127.0.0.0/8, `::1` or `localhost`.
        package var host: String
        /// 0: any free port.
        package var port: Int
        /// The program's version, for `/version`.
        package var version: String

        package init(host: String = "127.0.0.1", port: Int, version: String) {
            self.host = host
            self.port = port
            self.version = version
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

    /// A server that does not listen yet; throws where the host is not a loopback address.
    ///
    /// `onListening` is called with the port once connections are accepted.
    package init(
        _ configuration: Configuration,
        store: any StorePort,
        sealing: any SealingPort,
        backends: APIBackends,
        clock: any ClockPort,
        random: any RandomPort,
        logger: Logger,
        onListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws(APIServerError) {
        guard isLoopbackHost(configuration.host) else {
            throw APIServerError(
                "the API listens on loopback addresses only, since it has no encryption and no authentication yet;"
                    + " \(configuration.host) is none. Use 127.0.0.1 and reach it from elsewhere through ssh -L"
            )
        }
        self.configuration = configuration
        self.logger = logger
        self.onListening = onListening
        collector = Collector(store: store, clock: clock, logger: logger)
        let objects = ObjectAPI(store: store, sealing: sealing, clock: clock, random: random)
        handler = RequestHandler(
            objects: objects,
            backends: backends,
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
        let application = application()
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

    private func application() -> some ApplicationProtocol {
        let handler = handler
        let onListening = onListening
        let responder = CallbackResponder<BasicRequestContext> { request, _ in await handler.respond(to: request) }
        return Application(
            responder: responder,
            server: .http1(configuration: .init(idleTimeout: .seconds(Self.idleSecondsMax))),
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

    package init(
        plan: any PlanPort,
        logs: any LogPort,
        blobs: any BlobUploadPort,
        status: any StatusPort,
        hooks: (any GitHookPort)? = nil
    ) {
        self.hooks = hooks
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
