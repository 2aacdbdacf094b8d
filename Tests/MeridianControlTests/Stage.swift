// Stage: a loop over an in-memory store with a node, a builder and a clock that do what a test says.
import Logging
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore
import Synchronization

/// A loop and everything around it.
final class Stage: Sendable {
    static let nodeName = "local"

    let clock = TestClock()
    let store: MemoryStore
    let node = TestNode()
    let lines = LogLines()
    private let works = Mutex<[(work: ActivityWork, executor: Executor)]>([])
    private let cancelled = Mutex<[ObjectKey]>([])

    init() { store = MemoryStore(clock: clock) }

    var ports: ExecutorPorts { ports(git: NoGit(), writer: NoWriting()) }

    private func ports(git: any GitPort, writer: any ObjectWriting) -> ExecutorPorts {
        ExecutorPorts(
            store: store,
            registry: TestRegistry(),
            builder: TestBuilder(),
            nodes: [Self.nodeName: node],
            git: git,
            writer: writer,
            sealing: TestSealing(),
            clock: clock,
            random: TestRandom()
        )
    }

    /// A loop that was just started.
    func reconciler(git: any GitPort = NoGit(), writer: any ObjectWriting = NoWriting()) -> Reconciler {
        let lines = lines
        return Reconciler(
            ports: ports(git: git, writer: writer),
            logger: Logger(label: "test", factory: { _ in CapturingHandler(lines: lines) }),
            start: { work, executor in self.works.withLock { $0.append((work, executor)) } },
            cancel: { key in self.cancelled.withLock { $0.append(key) } }
        )
    }

    var cancelledWorks: [ObjectKey] { cancelled.withLock { $0 } }
    var pendingWorks: [ActivityWork] { works.withLock { $0.map(\.work) } }

    /// Ends all work that is under way.
    func endWorks(_ reconciler: Reconciler) async {
        let ended = works.withLock { works in
            defer { works = [] }
            return works
        }
        for (work, executor) in ended {
            reconciler.finish(work, await executor.perform(work) { _, _ in })
        }
    }

    /// Turns, ends work and reports until nothing is left to do; false where that takes too long.
    @discardableResult
    func settle(_ reconciler: Reconciler) async throws -> Bool {
        for _ in 0..<60 {
            reconciler.note(node.current, of: Self.nodeName)
            await endWorks(reconciler)
            if try await reconciler.turn().plan.steps.isEmpty, pendingWorks.isEmpty { return true }
        }
        return false
    }

    // MARK: Objects

    func apply(_ name: String, source: Int = 1, _ change: (inout App) -> Void = { _ in }) async throws {
        let record = try await store.get(Self.app(name))
        var context = DecodingContext()
        var app = App(metadata: Metadata(name: name, namespace: "default"), spec: AppSpec())
        app.metadata.uid = "uid-\(name)"
        app.metadata.finalizers = [drainFinalizer]
        if let stored = record.flatMap({ App.decode($0.value, at: FieldPath(), &context) }) { app = stored }
        app.metadata.generation += 1
        app.spec.source.path = "./\(name)"
        app.spec.source.digest = digest(source)
        change(&app)
        try await store.commit([.put(app.key, app.encoded(), .any)])
    }

    func read<Object: APIObject>(_: Object.Type, _ name: String, namespace: String = "default") async throws -> Object?
    {
        var context = DecodingContext()
        let key = ObjectKey(kind: Object.kind, namespace: namespace, name: name)
        return try await store.get(key).flatMap { Object.decode($0.value, at: FieldPath(), &context) }
    }

    func events() async throws -> [Event] {
        try await store.snapshot(kinds: [Event.kind]).records.compactMap { record in
            var context = DecodingContext()
            return Event.decode(record.value, at: FieldPath(), &context)
        }
    }

    static func app(_ name: String) -> ObjectKey { ObjectKey(kind: AppSpec.kind, namespace: "default", name: name) }
    static func revision(_ name: String) -> ObjectKey {
        ObjectKey(kind: RevisionSpec.kind, namespace: "default", name: name)
    }
}

func digest(_ number: Int) -> Digest {
    let digits = String(number)
    return Digest(hex: String(repeating: "0", count: 64 - digits.utf8.count) + digits) ?? .zero
}

/// A clock that tests move; whoever sleeps on it wakes when its time has come.
final class TestClock: ClockPort {
    private struct State {
        var now = Timestamp(milliseconds: 1_800_000_000_000)
        var sleepers: [Int: (deadline: Timestamp, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var lastSleeper = 0
        var cancelledEarly: Set<Int> = []
    }

    private let state = Mutex(State())

    var now: Timestamp { state.withLock { $0.now } }
    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: Timestamp) async throws {
        let id = state.withLock { state in
            state.lastSleeper += 1
            return state.lastSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let verdict: Result<Void, any Error>? = state.withLock { state in
                    if state.cancelledEarly.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[id] = (deadline, continuation)
                    return nil
                }
                if let verdict { continuation.resume(with: verdict) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelledEarly.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.sorted { $0.key < $1.key }.map(\.value.continuation)
        }
        for continuation in due { continuation.resume() }
    }
}

/// A node that takes assignments and starts what must be up at once.
final class TestNode: NodePort {
    fileprivate struct State {
        var assignments: [NodeAssignment] = []
        var tried = 0
        var refusal: NodeError?
        var listeners: [AsyncThrowingStream<NodeReport, any Error>.Continuation] = []
        var runners: [RunnerReport] = []
    }

    private let state = Mutex(State())

    /// Every assignment that it took.
    var assignments: [NodeAssignment] { state.withLock { $0.assignments } }
    var tried: Int { state.withLock { $0.tried } }

    func refuse(_ error: NodeError?) { state.withLock { $0.refusal = error } }

    var current: NodeReport {
        state.withLock { state in
            var report = NodeReport()
            report.node = Stage.nodeName
            report.instance = "first"
            report.assignment = state.assignments.last?.number ?? 0
            report.runners = state.runners
            return report
        }
    }

    func measures() async throws(NodeError) -> NodeMeasures { NodeMeasures() }

    func assign(_ assignment: NodeAssignment) async throws(NodeError) {
        let refusal = state.withLock { state in
            state.tried += 1
            if state.refusal == nil { state.take(assignment) }
            return state.refusal
        }
        if let refusal { throw refusal }
        let (report, listeners) = (current, state.withLock { $0.listeners })
        for listener in listeners { listener.yield(report) }
    }

    func report() async throws(NodeError) -> NodeReport { current }

    func reports() -> AsyncThrowingStream<NodeReport, any Error> {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: NodeReport.self)
        state.withLock { $0.listeners.append(continuation) }
        continuation.yield(current)
        return stream
    }

    /// The connection breaks.
    func disconnect() {
        let listeners = state.withLock { state in
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener.finish(throwing: NodeError(.unreachable, "gone")) }
    }

    var listeners: Int { state.withLock { $0.listeners.count } }

    func checkPort(
        _ id: String,
        _ template: RunnerTemplate,
        timeout: Duration
    ) async throws(NodeError) -> PortCheckReport {
        var report = PortCheckReport()
        report.passed = true
        report.listening = ["0.0.0.0:8080"]
        return report
    }
}

extension TestNode.State {
    fileprivate mutating func take(_ assignment: NodeAssignment) {
        assignments.append(assignment)
        let keys = Set(assignment.revisions.map(\.key))
        runners.removeAll { !keys.contains($0.revision) }
        for revision in assignment.revisions {
            for number in runners.count(where: { $0.revision == revision.key })..<revision.runnersMin {
                var runner = RunnerReport()
                runner.id = "\(revision.key.split(separator: "/").last ?? "")-\(number)"
                runner.revision = revision.key
                runner.state = .ready
                runners.append(runner)
            }
        }
        runners.sort { $0.id < $1.id }
    }
}

struct TestBuilder: BuilderPort {
    func build(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws(BuildError) -> BuildOutcome {
        // Sources from 90 on do not build.
        guard request.source < digest(90) else {
            throw BuildError(
                reason: "CommandFailed",
                stage: .build,
                message: "exit code 1",
                output: ["main.c:1: error"]
            )
        }
        return BuildOutcome(
            bundle: request.source,
            executable: "server",
            arguments: [],
            preset: .c,
            cached: false,
            stages: []
        )
    }
}

struct TestRegistry: RegistryPort {
    func put(_ bytes: [UInt8]) async throws(RegistryError) -> Digest { throw missing }
    func put(file path: String) async throws(RegistryError) -> Digest { throw missing }
    func contains(_ digest: Digest) async -> Bool { false }
    func get(_ digest: Digest) async throws(RegistryError) -> [UInt8] { throw missing }
    func file(_ digest: Digest) async throws(RegistryError) -> String { throw missing }
    func list() async throws(RegistryError) -> [Digest] { [] }
    func delete(_ digests: [Digest]) async throws(RegistryError) {}
    private var missing: RegistryError { RegistryError(.notFound, "there is no such blob") }
}

/// Sealed texts are the reversed values; texts that begin with `!` do not open.
struct TestSealing: SealingPort {
    func seal(_ plain: String, for owner: String) throws(SealingError) -> String { String(plain.reversed()) }
    func open(_ sealed: String, for owner: String) throws(SealingError) -> String {
        guard !sealed.hasPrefix("!") else { throw SealingError(.corrupted, "a value of \(owner) does not open") }
        return String(sealed.reversed())
    }
    func fingerprint(_ sealed: String) -> String { "sealed:\(sealed.utf8.count)" }
}

final class TestRandom: RandomPort {
    private let counter = Mutex<UInt64>(0)

    func next() -> UInt64 {
        counter.withLock { counter in
            counter += 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF
            return counter &* 0x2545_F491_4F6C_DD1D
        }
    }
}

/// Everything that was logged, as text.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

struct CapturingHandler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    init(lines: LogLines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])") }
}
