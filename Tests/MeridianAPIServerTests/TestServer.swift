// TestServer: a real server on a free port over a store in memory, and a real client.
import Logging
import MeridianAPIClient
import MeridianAPIServer
import MeridianModel
import MeridianPorts
import MeridianStore
import ServiceLifecycle
import Synchronization

/// What a test talks to.
struct TestServer: Sendable {
    let client: APIClient
    let store: any StorePort
    let backends: FakeBackends
    let audit: FakeAudit
    /// Tells the server to end, as a signal would.
    let stop: @Sendable () async -> Void
    /// Ends when the server has ended.
    let ended: AsyncStream<Void>
    var url: String { client.server }

    /// Runs `body` against a server that is shut down afterwards.
    ///
    /// With an identity the server speaks TLS, and its own client knows no token.
    static func run(
        identity: ServerIdentity? = nil,
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let clock = WallClock()
        let store = MemoryStore(clock: clock)
        let backends = FakeBackends()
        let audit = FakeAudit()
        let (ports, listening) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "api-test")
        logger.logLevel = .critical
        let server = try APIServer(
            .init(port: 0, version: "test", identity: identity),
            store: store,
            sealing: FakeSealing(),
            backends: APIBackends(
                plan: backends,
                logs: backends,
                blobs: backends,
                status: backends,
                audit: backends,
                backups: backends,
                learning: backends
            ),
            audit: audit,
            clock: clock,
            random: SystemRandom(),
            logger: logger
        ) { listening.yield($0) }
        let group = ServiceGroup(services: [server], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let (ended, ending) = AsyncStream<Void>.makeStream()
            tasks.addTask {
                defer { ending.finish() }
                try await group.run()
            }
            guard let port = await ports.first(where: { _ in true }) else { return }
            try await APIClient.withClient(server: "\(identity == nil ? "http" : "https")://127.0.0.1:\(port)") {
                client in
                let stop = { @Sendable in await group.triggerGracefulShutdown() }
                let server = TestServer(
                    client: client,
                    store: store,
                    backends: backends,
                    audit: audit,
                    stop: stop,
                    ended: ended
                )
                try await body(server)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

extension TestServer {
    func makeNamespace(_ name: String) async throws {
        let object: JSONValue = [
            "apiVersion": "meridian.dev/v1", "kind": "Namespace", "metadata": ["name": .string(name)],
        ]
        _ = try await client.apply(object, ObjectKey(kind: "Namespace", name: name))
    }
}

/// An audit log that keeps its entries.
final class FakeAudit: AuditPort {
    let entries = Mutex<[JSONValue]>([])

    func record(_ entry: JSONValue) { entries.withLock { $0.append(entry) } }
}

/// Backends that record what they are asked.
final class FakeBackends: PlanPort, LogPort, BlobUploadPort, StatusPort, BackupPort, LearnPort, AuditReadPort {
    let overlays = Mutex<[[JSONValue]]>([])
    let logRequests = Mutex<[LogRequest]>([])
    let blobs = Mutex<[Digest: Int]>([:])
    let backup = Mutex(FakeBackup())
    let auditQueries = Mutex<[AuditQuery]>([])
    /// One element per log stream that nobody reads any more.
    let endedLogs: AsyncStream<Void>
    private let logEnding: AsyncStream<Void>.Continuation

    init() { (endedLogs, logEnding) = AsyncStream.makeStream() }

    func plan(
        overlaying objects: [JSONValue],
        removing removed: [ObjectKey]
    ) async throws(BackendError) -> JSONValue {
        overlays.withLock { $0.append(objects) }
        return ["steps": .array(objects.map { ["text": .string($0["metadata"]?["name"]?.string ?? "")] })]
    }

    func log(_ request: LogRequest) async throws(BackendError) -> AsyncThrowingStream<String, any Error> {
        logRequests.withLock { $0.append(request) }
        guard request.revision != "gone" else { throw BackendError(.notFound, "there is no revision \"gone\"") }
        return AsyncThrowingStream { continuation in
            for number in 1...(request.tailLines ?? 3) { continuation.yield("2026-01-01T00:00:00Z r line \(number)") }
            if !request.follows { continuation.finish() }
            continuation.onTermination = { _ in self.logEnding.yield() }
        }
    }

    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws(BackendError) -> SyscallLesson {
        guard app.name != "unbuilt" else { throw BackendError(.invalid, "\(app) has no built revision to run") }
        var lesson = SyscallLesson()
        lesson.revision = "\(app.path)-00001"
        lesson.elapsed = settings.duration
        lesson.requests = settings.paths.map { LessonRequest($0) }
        return lesson
    }

    func contains(_ digest: Digest) async -> Bool { blobs.withLock { $0[digest] != nil } }

    func receive(_ digest: Digest, _ chunks: BlobBytes) async throws(BackendError) {
        var count = 0
        do {
            for try await chunk in chunks { count += chunk.count }
        } catch {
            throw BackendError(.interrupted, "\(error)")
        }
        guard count != 13 else { throw BackendError(.invalid, "the bytes have another digest") }
        let total = count
        blobs.withLock { $0[digest] = total }
    }

    func status() async throws(BackendError) -> JSONValue { ["apps": 1] }

    func entries(_ query: AuditQuery) async throws(BackendError) -> [JSONValue] {
        auditQueries.withLock { $0.append(query) }
        return [["auditID": "1"]]
    }

    func backup(withKeys: Bool) async throws(BackendError) -> BlobBytes {
        let backup = backup.withLock { backup in
            backup.wishes.append(withKeys)
            return backup
        }
        if let refusal = backup.refusal { throw BackendError(.unavailable, refusal) }
        return AsyncThrowingStream<[UInt8], any Error> { continuation in
            for piece in backup.pieces { continuation.yield(piece) }
            guard !backup.isEndless else { return }
            continuation.finish(throwing: backup.failsAtEnd ? BackendError(.unavailable, "the disk broke") : nil)
        }
    }
}

/// What the backup of a test is, and what was asked of it.
struct FakeBackup {
    var pieces: [[UInt8]] = []
    var failsAtEnd = false
    var isEndless = false
    var refusal: String?
    var wishes: [Bool] = []
}

extension ObjectKey {
    static func app(_ name: String, namespace: String = "default") -> ObjectKey {
        ObjectKey(kind: "App", namespace: namespace, name: name)
    }
}

extension JSONValue {
    /// An app's manifest with the given members in its spec.
    static func app(_ name: String, _ spec: KeyValuePairs<String, JSONValue> = [:], labels: JSONValue? = nil)
        -> JSONValue
    {
        var content = JSONObject([.init(key: "source", value: ["path": "."])])
        for (key, value) in spec { content[key] = value }
        var metadata = JSONObject([.init(key: "name", value: .string(name))])
        metadata["labels"] = labels
        return [
            "apiVersion": "meridian.dev/v1", "kind": "App", "metadata": .object(metadata), "spec": .object(content),
        ]
    }

    static func region(_ name: String, _ spec: JSONValue = [:]) -> JSONValue {
        ["apiVersion": "meridian.dev/v1", "kind": "Region", "metadata": ["name": .string(name)], "spec": spec]
    }

    var version: String? { self["metadata"]?["resourceVersion"]?.string }
    var generation: Int64? { self["metadata"]?["generation"]?.integer }
    var name: String? { self["metadata"]?["name"]?.string }
}
