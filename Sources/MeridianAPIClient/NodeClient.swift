// NodeClient: a node as the control plane reaches it, over the node's control socket.
internal import AsyncHTTPClient
package import MeridianModel
package import MeridianPorts

/// Requests to one node.
///
/// PUT /assignment, GET /report, GET /reports (a report per line), POST /port-check, POST /learn, GET /log. It holds connections:
/// end it with `shutdown()`.
package struct NodeClient: NodePort {
    /// Saving an assignment and handing it to every edge loop takes milliseconds; a busy disk may take seconds.
    private static let requestDuration = Duration.seconds(30)
    /// Beyond the timeout of the check itself: unpacking a large bundle first, and stopping the program afterwards.
    private static let portCheckOverhead = Duration.seconds(120)
    /// A stream of reports is opened anew once a day.
    private static let streamDuration = Duration.seconds(86_400)

    private let endpoint: HTTPEndpoint

    /// - Parameter socket: the path of the node's control socket.
    package init(socket: String) {
        endpoint = HTTPEndpoint(
            base: "http+unix://\(percentEncoded(socket))",
            absenceHint: "no node answers at \(socket)"
        )
    }

    /// Closes every connection; the client cannot be used afterwards.
    package func shutdown() async { await endpoint.shutdown() }

    package func assign(_ assignment: NodeAssignment) async throws(NodeError) {
        _ = try await json("PUT", "/assignment", .json(assignment.encoded()), within: Self.requestDuration)
    }

    package func report() async throws(NodeError) -> NodeReport {
        try Self.decoded(try await json("GET", "/report", nil, within: Self.requestDuration))
    }

    package func measures() async throws(NodeError) -> NodeMeasures {
        try Self.decoded(try await json("GET", "/measures", nil, within: Self.requestDuration))
    }

    package func reports() -> AsyncThrowingStream<NodeReport, any Error> {
        // A report is the whole state, so a slow reader wants the newest one only.
        AsyncThrowingStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let reading = Task {
                do {
                    try await readReports { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    package func checkPort(
        _ id: String,
        _ template: RunnerTemplate,
        timeout: Duration
    ) async throws(NodeError) -> PortCheckReport {
        let body: JSONValue = [
            "id": .string(id), "template": template.encoded(), "timeout": .string(timeout.text),
            "revision": .string(id),
        ]
        return try Self.decoded(
            try await json("POST", "/port-check", .json(body), within: timeout + Self.portCheckOverhead)
        )
    }

    /// Runs a template to see which syscalls it makes.
    package func learn(
        _ revision: String,
        _ template: RunnerTemplate,
        _ settings: LearnSettings
    ) async throws(NodeError) -> SyscallLesson {
        let body: JSONValue = [
            "revision": .string(revision), "template": template.encoded(), "settings": settings.encoded(),
        ]
        // Beyond the time of the lesson: what a port check may take beyond its own.
        let duration = settings.duration + template.readyTimeout + Self.portCheckOverhead
        return try Self.decoded(try await json("POST", "/learn", .json(body), within: duration))
    }

    /// What the runners of an app printed, oldest first.
    ///
    /// `isBuild` of the request has no meaning here.
    package func log(_ request: LogRequest) async throws(NodeError) -> LogLines {
        let query = queryText([
            "app": request.app.path, "revision": request.revision, "runner": request.runner,
            "tail": request.tailLines.map { String($0) }, "follow": request.follows ? "1" : nil,
        ])
        do {
            let response = try await endpoint.open("GET", "/log" + query, within: Self.streamDuration)
            return LogLines(ResponseLines(response.body, from: endpoint))
        } catch {
            throw NodeError(error)
        }
    }

    private func readReports(_ yield: (NodeReport) -> Void) async throws {
        do {
            let response = try await endpoint.open("GET", "/reports", within: Self.streamDuration)
            for try await line in ResponseLines(response.body, from: endpoint) {
                yield(try Self.decoded(try JSONValue(parsing: line)))
            }
        } catch let error as APIClientError {
            throw NodeError(error)
        }
    }

    private func json(
        _ method: String,
        _ path: String,
        _ body: HTTPEndpoint.Body?,
        within duration: Duration
    ) async throws(NodeError) -> JSONValue {
        do { return try await endpoint.json(method, path, body, within: duration).value } catch {
            throw NodeError(error)
        }
    }

    private static func decoded<Value: ShapeValue>(_ json: JSONValue) throws(NodeError) -> Value {
        var context = DecodingContext()
        if let value = Value.decode(json, at: FieldPath(), &context) { return value }
        let problems = context.problems.map(\.message).joined(separator: ", ")
        throw NodeError(.refused, "the node answered what is not understood here: \(problems)")
    }
}

extension NodeError {
    /// Lost and late requests leave open whether the node acted; everything else is the node's refusal.
    fileprivate init(_ error: APIClientError) {
        let isUnknown = [.unreachable, .timedOut, .unavailable].contains(error.code)
        self.init(isUnknown ? .unreachable : .refused, error.message)
    }
}
