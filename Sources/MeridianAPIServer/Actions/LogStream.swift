// LogStream: an app's output as a stream of text lines.
internal import MeridianModel
internal import MeridianPorts
internal import ServiceLifecycle

/// The last lines that a client may ask for; more is everything that is kept.
private let tailLinesMax: Int64 = 1_000_000

extension LogRequest {
    /// The request that the parameters describe.
    init(app: ObjectKey, _ parameters: QueryParameters) throws(APIFailure) {
        let revision = parameters["revision"]
        if let revision, !isDNSLabel(revision) {
            throw .badRequest("revision: \"\(revision.prefix(80))\" is not a name")
        }
        self.init(
            app: app,
            revision: revision,
            tailLines: try parameters.number("tailLines", in: 0...tailLinesMax).map { Int($0) },
            follows: try parameters.flag("follow"),
            isBuild: try parameters.flag("build")
        )
    }
}

/// Writes lines until they end, the client has gone or the server stops.
func sendLines(_ lines: AsyncThrowingStream<String, any Error>, to writer: StreamWriter) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            do {
                for try await line in lines { try await writer.write(line: Array(line.utf8)) }
            } catch let error as BackendError {
                try await writer.write(line: Array("meridian: the log ends here: \(error.message)".utf8))
            }
        }
        group.addTask { try await gracefulShutdown() }
        defer { group.cancelAll() }
        try await group.next()
    }
}
