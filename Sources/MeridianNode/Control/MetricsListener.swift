// MetricsListener: the node's metrics for a Prometheus server, whether a control plane runs or not.
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import MeridianContent
internal import MeridianEdge
internal import NIOCore
internal import ServiceLifecycle

/// Serves GET /metrics, and nothing else, on an address of its own.
struct MetricsListener: Service {
    let address: EdgeAddress
    let service: NodeService
    let logger: Logger

    func run() async throws {
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in
                guard request.method == .get || request.method == .head, request.uri.path == "/metrics" else {
                    return Response(
                        status: .notFound,
                        headers: [.contentType: "text/plain; charset=utf-8"],
                        body: ResponseBody(byteBuffer: ByteBuffer(string: "there is GET /metrics here\n"))
                    )
                }
                return metricsAnswer(await service.metrics())
            },
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: Int(address.port)),
                serverName: nil
            ),
            logger: logger
        )
        try await application.run()
    }
}

/// The answer that a Prometheus server reads.
func metricsAnswer(_ text: String) -> Response {
    Response(
        status: .ok,
        headers: [.contentType: MetricsText.mediaType],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text))
    )
}
