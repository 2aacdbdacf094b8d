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

/// Writes lines until they end, the client has gone, the server stops or `limit` bytes were written.
///
/// `text`: what is written of a line; nil where it is left out.
func sendLines(
    _ lines: AsyncThrowingStream<String, any Error>,
    to writer: StreamWriter,
    limit: Int? = nil,
    text: @escaping @Sendable (String) -> String? = { $0 }
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            var rest = limit ?? .max
            do {
                for try await line in lines {
                    guard let shown = text(line) else { continue }
                    let bytes = Array(shown.utf8.prefix(rest))
                    try await writer.write(line: bytes)
                    rest -= bytes.count
                    guard rest > 0 else { return }
                }
            } catch let error as BackendError {
                try await writer.write(line: Array("meridian: the log ends here: \(error.message)".utf8))
            }
        }
        group.addTask { try await gracefulShutdown() }
        defer { group.cancelAll() }
        try await group.next()
    }
}
