// FakeMachine: runners without sandboxes, bundles without content, and an edge that only takes notes.
import MeridianModel
import MeridianPorts
import Synchronization

@testable import MeridianNode

/// A runner port whose runners are servers in this process.
final class FakeRunners: RunnerPort {
    struct State {
        var programs: [String: TestProgram] = [:]
        var most = 0
        var cut = 0
        var paused: Set<String> = []
        var failure: String?
        var denied: [String: [String]] = [:]
    }

    let exits: AsyncStream<RunnerExit>
    let deniedChanges: AsyncStream<Void>
    private let denying: AsyncStream<Void>.Continuation
    private let exiting: AsyncStream<RunnerExit>.Continuation
    private let serviceTime: UInt32
    let state = Mutex(State())

    init(serviceTime: UInt32 = 0) {
        self.serviceTime = serviceTime
        (exits, exiting) = AsyncStream.makeStream()
        (deniedChanges, denying) = AsyncStream.makeStream()
    }

    func start(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String
    ) async throws(RunnerError) -> RunnerHandle {
        if let failure = state.withLock({ $0.failure }) { throw RunnerError(reason: "ExitedEarly", message: failure) }
        guard let program = TestProgram(name: id, serviceTime: serviceTime) else {
            throw RunnerError(reason: "SandboxUnavailable", message: "no socket")
        }
        state.withLock { state in
            state.programs[id] = program
            state.most = max(state.most, state.programs.count)
        }
        return RunnerHandle(id: id, pid: 1, networkNamespace: -1, port: program.port)
    }

    func keepReady(_ counts: [SandboxShape: Int]) {}
    func pause(_ runner: RunnerHandle) { state.withLock { _ = $0.paused.insert(runner.id) } }
    func resume(_ runner: RunnerHandle) { state.withLock { _ = $0.paused.remove(runner.id) } }

    func waitReady(_ runner: RunnerHandle) async throws(RunnerError) {}

    func stop(_ runner: RunnerHandle, grace: Duration) async {
        let program = state.withLock { $0.programs.removeValue(forKey: runner.id) }
        program?.stop()
        let cut = program?.cut.withLock { $0 } ?? 0
        state.withLock { $0.cut += cut }
    }

    /// Ends a runner as if its program had crashed.
    func crash(_ id: String) {
        state.withLock { $0.programs.removeValue(forKey: id) }?.stop()
        exiting.yield(RunnerExit(id: id, cause: .code(3), message: "exited with code 3"))
    }

    func checkPort(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        timeout: Duration
    ) async throws(RunnerError) -> PortCheckReport {
        var report = PortCheckReport()
        report.passed = true
        report.listening = ["0.0.0.0:1"]
        report.output = [id, revision, bundle]
        return report
    }

    func learn(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        _ settings: LearnSettings
    ) async throws(RunnerError) -> SyscallLesson {
        var lesson = SyscallLesson()
        lesson.revision = revision
        lesson.syscalls = ["read", "write"]
        lesson.requests = settings.paths.map { LessonRequest($0) }
        lesson.elapsed = settings.duration
        return lesson
    }

    var deniedSyscalls: [String: [String]] { state.withLock { $0.denied } }

    func forgetDenied(except revisions: Set<String>) {
        state.withLock { state in state.denied = state.denied.filter { revisions.contains($0.key) } }
    }

    /// Makes a revision's runners meet a denied syscall.
    func deny(_ syscall: String, _ revision: String) {
        state.withLock { $0.denied[revision, default: []].append(syscall) }
        denying.yield()
    }

    var protections: [String: String] { ["seccomp": "none: a test"] }
}

/// Every bundle is the same directory.
struct FakeBundles: BundleDirectories {
    func directory(for bundle: Digest) async throws(RunnerError) -> String { "/nowhere" }
}

/// An edge that takes everything and has no requests.
final class QuietEdge: NodeEdge {
    let tables = Mutex<[RouteTable]>([])

    func apply(_ routes: RouteTable) async throws(NodeError) { tables.withLock { $0.append(routes) } }
    func setCertificates(_ certificates: [HostCertificate]) {}
    func setRunners(
        _ revision: String,
        _ runners: [RunnerHandle],
        resumed: Set<String>,
        concurrencyMax: Int
    ) async {}
    func fail(_ revision: String, message: String) async {}
    var supplyLoad: SupplyLoad { SupplyLoad() }
    var measures: NodeMeasures { NodeMeasures() }
    var routesNumber: Int { tables.withLock { $0.last?.number ?? 0 } }
}
