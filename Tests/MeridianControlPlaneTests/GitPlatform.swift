// GitPlatform: a control plane's parts around a real repository: store, API's write path, loop, Git; node and builder are
// played.
import Glibc
import Logging
import MeridianAPIServer
import MeridianContent
import MeridianControl
import MeridianGit
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianRegistry
import MeridianStore
import Synchronization
import Testing

@testable import MeridianControlPlane

/// Everything that a push goes through, in this process.
final class GitPlatform: Sendable {
    let directory: String
    let store: SQLiteStore
    let writer: ObjectWriter
    let reconciler: Reconciler
    let sealing: KeySealing
    private let pool: ActivityPool

    var repository: String { "\(directory)/origin" }

    /// An empty repository and a platform with the namespace `default`, as behind an API server.
    init() async throws {
        var template = Array("/tmp/meridian-gitops-XXXXXX".utf8CString)
        let made = try #require(mkdtemp(&template))
        directory = String(cString: made)
        let data = try DataDirectory("\(directory)/data")
        try data.prepare()
        let clock = SystemClock()
        store = try SQLiteStore(directory: data.path, clock: clock)
        let registry = try DirectoryRegistry(root: data.registry)
        sealing = try KeySealing(data)
        writer = ObjectWriter(store: store, sealing: sealing, clock: clock, random: SystemRandom())
        let pool = ActivityPool(notes: BuildNotes(store: store, clock: clock))
        self.pool = pool
        reconciler = Reconciler(
            ports: ExecutorPorts(
                store: store,
                registry: registry,
                builder: PlayedBuilder(),
                nodes: ["local": PlayedNode()],
                git: try GitRepositories(root: data.git, registry: registry),
                writer: writer,
                sealing: sealing,
                clock: clock,
                random: SystemRandom()
            ),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            start: { pool.start($0, $1) },
            cancel: { pool.cancel($0) }
        )
        try git("init --quiet --initial-branch main \(repository)", in: directory)
        try await apply(["apiVersion": "meridian.dev/v1", "kind": "Namespace", "metadata": ["name": "default"]])
    }

    deinit {
        do { try DurableFile.remove(directory) } catch { print("\(directory) was not removed: \(error)") }
    }

    /// Runs the loop and its activities while `body` runs.
    func running(_ body: () async throws -> Void) async throws {
        let (reconciler, pool) = (reconciler, pool)
        let loop = Task { try await reconciler.run() }
        let work = Task { await pool.run { reconciler.finish($0, $1) } }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        loop.cancel()
        work.cancel()
        _ = await loop.result
        await work.value
        try result.get()
    }

    /// Writes files, removing those that are nil, and commits them; answers the commit.
    @discardableResult
    func push(_ files: [String: String?]) throws -> String {
        for (name, text) in files {
            let place = "\(repository)/\(name)"
            guard let text else {
                unlink(place)
                continue
            }
            try DurableFile.createDirectory(DurableFile.directory(of: place))
            // Not durable: a thousand waits for the disk would be most of a test.
            let file = try #require(fopen(place, "w"))
            fputs(text, file)
            fclose(file)
        }
        try git("add --all")
        try git("commit --quiet --allow-empty --message change")
        return try git("rev-parse HEAD")
    }

    @discardableResult
    func git(_ words: String, in place: String? = nil) throws -> String {
        let identity = "-c user.name=Anna -c user.email=anna@example.org -c commit.gpgsign=false"
        let pipe = try #require(popen("cd \(place ?? repository) && git \(identity) \(words) 2>&1", "r"))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            output += buffer[..<count]
        }
        let status = pclose(pipe)
        while output.last == 0x0A { output.removeLast() }
        let text = String(decoding: output, as: UTF8.self)
        try #require(status == 0, "git \(words): \(text)")
        return text
    }

    /// Declares the GitSource `shop` of the repository.
    func source(_ spec: [String: JSONValue] = [:]) async throws {
        var whole: JSONObject = JSONObject([.init(key: "url", value: .string("file://\(repository)"))])
        whole["ref"] = "main"
        whole["interval"] = "1s"
        for (key, value) in spec { whole[key] = value }
        try await apply([
            "apiVersion": "meridian.dev/v1", "kind": "GitSource", "metadata": ["name": "shop"], "spec": .object(whole),
        ])
    }

    func apply(_ object: JSONValue) async throws {
        _ = try await writer.apply(object, manager: "test", force: true, isDryRun: false)
    }

    func read<Object: APIObject>(_: Object.Type, _ name: String, namespace: String = "") async throws -> Object? {
        var context = DecodingContext()
        let key = ObjectKey(kind: Object.kind, namespace: namespace, name: name)
        return try await store.get(key).flatMap { Object.decode($0.value, at: FieldPath(), &context) }
    }

    func names(of kind: String) async throws -> [String] {
        try await store.snapshot(kinds: [kind]).records.map(\.key.name).sorted()
    }

    /// Waits until the source says so; its status where it does not within half a minute.
    func wait(_ what: String, _ condition: (GitSourceStatus) async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let status = try await read(GitSource.self, "shop")?.status, try await condition(status) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        let status = try await read(GitSource.self, "shop")?.status.encoded()
        Issue.record("\(what) did not come: \(status?.text(pretty: true).prefix(3000) ?? "no status")")
    }

    /// Waits until a commit is applied.
    func waitForApplied(_ commit: String) async throws {
        try await wait("the commit \(commit)") { $0.appliedCommit == commit }
    }
}

/// A node that takes everything and has no runner.
struct PlayedNode: NodePort {
    private let number = Holder()

    final class Holder: Sendable {
        let value = Mutex(0)
    }

    func assign(_ assignment: NodeAssignment) async throws(NodeError) {
        number.value.withLock { $0 = assignment.number }
    }

    func measures() async throws(NodeError) -> NodeMeasures { NodeMeasures() }

    func report() async throws(NodeError) -> NodeReport {
        var report = NodeReport()
        report.node = "local"
        report.instance = "one"
        report.assignment = number.value.withLock { $0 }
        report.edges = ["127.0.0.1:8080"]
        return report
    }

    func reports() -> AsyncThrowingStream<NodeReport, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                // A report whenever the assignment is another one, looked at as often as a node sends at most.
                var last = -1
                while !Task.isCancelled {
                    let report = try await report()
                    if report.assignment != last { continuation.yield(report) }
                    last = report.assignment
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    func checkPort(
        _ id: String,
        _ template: RunnerTemplate,
        timeout: Duration
    ) async throws(NodeError) -> PortCheckReport {
        var report = PortCheckReport()
        report.passed = true
        report.reason = "Listening"
        report.listening = ["0.0.0.0:8080"]
        return report
    }
}

/// A builder whose bundles are the sources themselves.
struct PlayedBuilder: BuilderPort {
    func build(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws(BuildError) -> BuildOutcome {
        BuildOutcome(
            bundle: request.source,
            executable: "server",
            arguments: [],
            preset: .c,
            cached: false,
            stages: []
        )
    }
}

func region(_ name: String, latitude: Int = 1) -> String {
    """
    apiVersion: meridian.dev/v1
    kind: Region
    metadata: {name: \(name)}
    spec: {location: {latitude: \(latitude), longitude: 2}}

    """
}

func split(_ name: String, host: String) -> String {
    """
    apiVersion: meridian.dev/v1
    kind: TrafficSplit
    metadata: {name: \(name)}
    spec: {app: shop, hosts: [\(host)], backends: [{revision: latest, weight: 100}]}

    """
}

let shopManifest = """
    apiVersion: meridian.dev/v1
    kind: App
    metadata: {name: shop}
    spec: {source: {path: ./src}}

    """
