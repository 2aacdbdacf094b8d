// ControlSocket: the node's side of the wire: HTTP on a Unix socket that only its owner may open.
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
package import Logging
internal import MeridianModel
package import MeridianPorts
internal import NIOCore
internal import ServiceLifecycle

/// Serves PUT /assignment, GET /report, GET /reports, POST /port-check, POST /learn, GET /log, GET /measures,
/// GET /metrics and POST /drain.
package struct ControlSocket: Service {
    /// An assignment of a thousand apps takes some 20 MB.
    private static let bodyBytesMax = 256 << 20
    /// What `sockaddr_un` holds, without the closing zero (unix(7)).
    private static let pathBytesMax = 107

    private let path: String
    private let service: NodeService
    private let drain: DrainSwitch
    private let logger: Logger

    /// A socket at `path`; `.refused` where that is too long for one.
    ///
    /// A file that a dead node left there is replaced, so the caller holds the node's lock. POST /drain turns `drain`.
    package init(path: String, service: NodeService, drain: DrainSwitch, logger: Logger) throws(NodeError) {
        guard path.utf8.count <= Self.pathBytesMax else {
            throw NodeError(
                .refused,
                "\(path) has \(path.utf8.count) bytes, and the path of a socket at most \(Self.pathBytesMax). "
                    + "Choose a data directory with a shorter path"
            )
        }
        self.path = path
        self.service = service
        self.drain = drain
        self.logger = logger
    }

    /// Serves until graceful shutdown; the socket's file is gone afterwards.
    package func run() async throws {
        unlink(path)
        defer { unlink(path) }
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in await respond(to: request) },
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path), serverName: nil),
            onServerRunning: { _ in chmod(path, 0o600) },
            logger: logger
        )
        try await application.run()
    }

    private func respond(to request: Request) async -> Response {
        do {
            return try await answer(request)
        } catch {
            let message = (error as? NodeError)?.message ?? "\(error)"
            logger.debug("request refused", metadata: ["path": "\(request.uri.path)", "why": "\(message)"])
            return Self.refusal(message)
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        switch (request.method, request.uri.path) {
        case (.put, "/assignment"):
            try await service.assign(try await Self.decoded(request))
            return Self.answer(.ok, [:])
        case (.get, "/report"):
            return Self.answer(.ok, await service.report().encoded())
        case (.get, "/reports"):
            return reports(of: service)
        case (.post, "/port-check"):
            let order: PortCheckOrder = try await Self.decoded(request)
            let report = try await service.checkPort(order.revision, order.template, timeout: order.timeout)
            return Self.answer(.ok, report.encoded())
        case (.post, "/learn"):
            let order: LearnOrder = try await Self.decoded(request)
            let lesson = try await service.learn(order.revision, order.template, order.settings)
            return Self.answer(.ok, lesson.encoded())
        case (.get, "/log"):
            return try log(request, of: service)
        case (.get, "/measures"):
            return Self.answer(.ok, await service.measures().encoded())
        case (.get, "/metrics"):
            return metricsAnswer(await service.metrics())
        case (.post, "/drain"):
            drain.turn()
            return Self.answer(.accepted, [:])
        default:
            throw NodeError(.refused, "the node has no \(request.method) \(request.uri.path)")
        }
    }

    private static func decoded<Value: Shaped>(_ request: Request) async throws -> Value {
        let buffer = try await request.body.collect(upTo: bodyBytesMax)
        let json = try JSONValue(parsing: Array(buffer.readableBytesView))
        var context = DecodingContext()
        if let value = Value.decode(json, at: FieldPath(), &context) { return value }
        throw NodeError(.refused, context.problems.map(\.message).joined(separator: "; "))
    }

    private static func answer(_ status: HTTPResponse.Status, _ json: JSONValue) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.utf8()))
        )
    }

    /// A Kubernetes `metav1.Status`, as the control plane's client reads errors.
    private static func refusal(_ message: String) -> Response {
        answer(
            .unprocessableContent,
            [
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid",
                "message": .string(message), "code": 422,
            ]
        )
    }
}

/// The body of POST /learn.
private struct LearnOrder: Shaped {
    var revision = ""
    var template = RunnerTemplate()
    var settings = LearnSettings()

    static let shape: Shape<LearnOrder> = Shape(
        "LearnOrder",
        "A program whose syscalls are to be learned.",
        fields: [
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init(required: "template", \.template, "How the program is started."),
            .init("settings", \.settings, default: LearnSettings(), "How it is driven."),
        ]
    )
}

/// The body of POST /port-check.
private struct PortCheckOrder: Shaped {
    var id = ""
    var revision = ""
    var template = RunnerTemplate()
    var timeout = Duration.zero

    static let shape: Shape<PortCheckOrder> = Shape(
        "PortCheckOrder",
        "A port check to be made.",
        fields: [
            .init(required: "id", \.id, "Names the check."),
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init(required: "template", \.template, "How the program is started."),
            .init(required: "timeout", \.timeout, "How long it may take until it listens."),
        ]
    )
}
