// ControlSocket: the node's side of the wire: HTTP on a Unix socket that only its owner may open.
internal import Glibc
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeridianModel
internal import MeridianPorts
internal import MeridianRunners
internal import NIOCore
internal import ServiceLifecycle

/// Serves PUT /assignment, GET /report, GET /reports, POST /port-check and GET /log.
package struct ControlSocket: Service {
    let path: String
    let service: NodeService
    let logger: Logger

    /// An assignment of a thousand apps takes some 20 MB.
    private static let bodyBytesMax = 256 << 20
    /// At most one report in this time: a burst of starts is one report.
    private static let reportInterval = Duration.milliseconds(50)
    /// A report is sent at least so often, so that a peer which is gone without a word is noticed.
    private static let heartbeat = Duration.seconds(10)

    /// Serves until graceful shutdown.
    package func run() async throws {
        unlink(path)
        let service = service
        let logger = logger
        let responder = CallbackResponder<BasicRequestContext> { request, _ in
            await Self.respond(to: request, service, logger)
        }
        let application = Application(
            responder: responder,
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: path), serverName: nil),
            onServerRunning: { _ in chmod(path, 0o600) },
            logger: logger)
        try await application.run()
        unlink(path)
    }

    private static func respond(to request: Request, _ service: NodeService, _ logger: Logger) async -> Response {
        do {
            switch (request.method, request.uri.path) {
            case (.put, "/assignment"):
                try await service.assign(try await decoded(request))
                return answer(.ok, [:])
            case (.get, "/report"): return answer(.ok, await service.report().encoded())
            case (.get, "/reports"): return reports(service)
            case (.post, "/port-check"):
                let order: PortCheckOrder = try await decoded(request)
                return answer(
                    .ok,
                    try await service.checkPort(order.revision, order.template, timeout: order.timeout).encoded())
            case (.get, "/log"): return try log(request, service)
            default: throw NodeError(.refused, "the node has no \(request.method) \(request.uri.path)")
            }
        } catch {
            logger.debug("request refused", metadata: ["path": "\(request.uri.path)", "reason": "\(error)"])
            let message = (error as? NodeError)?.message ?? "\(error)"
            return answer(.unprocessableContent, ["message": .string(message)])
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
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.utf8())))
    }

    /// A report per line: at once, after every change, and as a heartbeat.
    private static func reports(_ service: NodeService) -> Response {
        let body = ResponseBody { writer in
            for await _ in beats(service.feed) {
                var line = await service.report().encoded().utf8()
                line.append(UInt8(ascii: "\n"))
                try await writer.write(ByteBuffer(bytes: line))
                try await Task.sleep(for: reportInterval)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    /// The feed's rings and the heartbeat's, until the node is told to stop.
    private static func beats(_ feed: ReportFeed) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let task = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in feed.rings() { continuation.yield() } }
                group.addTask {
                    // Cancellation ends the wait early, and the loop with it.
                    while !Task.isCancelled {
                        try? await Task.sleep(for: heartbeat)
                        continuation.yield()
                    }
                }
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    private static func log(_ request: Request, _ service: NodeService) throws(NodeError) -> Response {
        let parameters = request.uri.queryParameters
        guard let app = parameters["app"].map(String.init) else { throw NodeError(.refused, "/log needs app=NAMESPACE/NAME") }
        let revision = parameters["revision"].map { name in
            name.contains("/") ? String(name) : "\(app.prefix { $0 != "/" })/\(name)"
        }
        let lines = service.lines(app: app, revision: revision, last: parameters["tail"].flatMap { Int($0) })
        let follows = parameters["follow"] == "1"
        let body = ResponseBody { writer in
            // Subscribed before the kept lines are sent, so that none between is lost; one may come twice.
            let news = follows ? service.follow(app: app, revision: revision) : nil
            for line in lines { try await writer.write(text(of: line)) }
            if let news {
                for await line in news { try await writer.write(text(of: line)) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
    }

    private static func text(of line: LogLine) -> ByteBuffer {
        ByteBuffer(string: "\(line.time) \(line.runner) \(line.text)\n")
    }
}

/// The body of POST /port-check.
private struct PortCheckOrder: Shaped {
    var id = ""
    var revision = ""
    var template = RunnerTemplate()
    var timeout = Duration.zero

    static var shape: Shape<PortCheckOrder> {
        Shape(
            "PortCheckOrder",
            "A port check to be made.",
            fields: [
                .init(required: "id", \.id, "Names the check."),
                .init(required: "revision", \.revision, "namespace/name of the revision."),
                .init(required: "template", \.template, "How the program is started."),
                .init(required: "timeout", \.timeout, "How long it may take until it listens."),
            ])
    }
}
