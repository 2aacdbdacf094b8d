// LogBackend: what an app's runners and builds printed.
import MeridianAPIClient
import MeridianBuilds
import MeridianContent
import MeridianModel
import MeridianPorts

/// Reads runner logs from the nodes and build logs from the builder's files.
struct LogBackend: LogPort {
    let store: any StorePort
    let builds: BuildLogs
    let nodes: [NodeClient]

    /// How often a followed build log is looked at again.
    private static let followInterval = Duration.milliseconds(200)

    func log(_ request: LogRequest) async throws(BackendError) -> AsyncThrowingStream<String, any Error> {
        guard request.isBuild else { return try await runnerLog(request) }
        return try await buildLog(request)
    }

    private func runnerLog(_ request: LogRequest) async throws(BackendError) -> AsyncThrowingStream<String, any Error> {
        guard let node = nodes.first else { throw BackendError(.unavailable, "there is no node") }
        let lines: LogLines
        do throws(NodeError) {
            lines = try await node.log(request)
        } catch {
            throw BackendError(.unavailable, "the node's log cannot be read: \(error)")
        }
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for try await line in lines { continuation.yield(line) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func buildLog(_ request: LogRequest) async throws(BackendError) -> AsyncThrowingStream<String, any Error> {
        let name: String
        if let revision = request.revision { name = revision } else { name = try await latestRevision(of: request.app) }
        let key = ObjectKey(kind: RevisionSpec.kind, namespace: request.app.namespace, name: name)
        let builds = builds
        let store = store
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await Self.send(key, builds, store, request) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Sends the lines there are and, where followed, those that come until the build has ended.
    private static func send(
        _ key: ObjectKey,
        _ builds: BuildLogs,
        _ store: any StorePort,
        _ request: LogRequest,
        to send: (String) -> Void
    ) async throws {
        var sent = 0
        while true {
            let isOver = try await isBuilt(key, in: store)
            let lines = try builds.read(key.path) ?? []
            let first = sent == 0 ? max(0, lines.count - (request.tailLines ?? lines.count)) : sent
            for line in lines.dropFirst(first) { send(line) }
            sent = lines.count
            guard request.follows, !isOver else { return }
            try await Task.sleep(for: followInterval)
        }
    }

    /// Whether nothing more will be logged for a revision: its build has ended, or it is gone.
    private static func isBuilt(_ key: ObjectKey, in store: any StorePort) async throws -> Bool {
        guard let record = try await store.get(key) else { return true }
        var context = DecodingContext()
        let revision = Revision.decode(record.value, at: FieldPath(), &context)
        return revision?.status.conditions.condition("Built")?.status ?? .unknown != .unknown
    }

    private func latestRevision(of app: ObjectKey) async throws(BackendError) -> String {
        let record: StoreRecord?
        do throws(StoreError) {
            record = try await store.get(app)
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        guard let name = record?.value["status"]?["latestRevision"]?.string else {
            throw BackendError(
                .notFound,
                "\(app) has no revision yet. Apply it, and wait with: meridian get app \(app.name) -w"
            )
        }
        return name
    }
}
