// BenchEdge: an edge and a runner supply as the node puts them together, and a request that finds no runner.
import CLinux
import Glibc
import Logging
import MeridianEdge
import MeridianModel
import MeridianNode
import MeridianPorts
import MeridianRunners

/// The part of a node between a client's connection and a runner.
final class BenchEdge {
    private let edge: Edge
    private let supply: RunnerSupply
    private let running: Task<Void, Never>
    private let address: clinux_address

    init(runners: SandboxedRunners, servers: String) async throws {
        let demands = DemandBox()
        let configuration = EdgeConfiguration(
            listen: [EdgeAddress(host: "127.0.0.1", port: 0)],
            loops: 2,
            region: RegionSpec.localName
        )
        edge = Edge(configuration) { demands.add($0.revision) }
        guard let port = try edge.start().first?.port else { throw BenchError("the edge has no port") }
        address = clinux_address_v4([127, 0, 0, 1], port)
        let clock = ReportClock(moment: .now, wall: Timestamp(milliseconds: 0))
        var logger = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let supply = RunnerSupply(
            runners: KeptPool(runners: runners),
            edge: EdgeOfNode(edge: edge, logger: logger),
            bundles: ServerBundles(directory: servers),
            demands: demands,
            state: SupplyState(seed: UInt64.random(in: .min ... .max), clock: clock),
            logger: logger
        ) {}
        self.supply = supply
        running = Task { await supply.run() }
        let hosts = Server.allCases.map { server in
            var host = HostRoute()
            host.host = server.host
            host.app = "default/\(server.rawValue)"
            host.backends = [RouteBackend(revision: server.revision, weight: 100)]
            return host
        }
        try await edge.apply(RouteTable(number: 1, hosts: hosts.sorted { $0.host < $1.host }))
    }

    func end() async {
        supply.assign([], isComplete: true)
        running.cancel()
        await running.value
        await edge.stop()
    }

    /// From the client's connect to its 200, when no runner is there.
    func measure(_ server: Server) throws -> Int64 {
        assign(server, .stop)
        return try ask(server)
    }

    /// The same when the server's one runner is paused.
    func measurePaused(_ server: Server) async throws -> Int64 {
        assign(server, .pause)
        _ = try ask(server)
        for _ in 0..<5000 {
            if await supply.runnerReports.map(\.state) == [.paused] {
                _ = Quiet.wait()
                return try ask(server)
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw BenchError("a runner is not paused")
    }

    private func assign(_ server: Server, _ standby: Standby) {
        var assignment = RevisionAssignment()
        assignment.key = server.revision
        assignment.app = "default/\(server.rawValue)"
        assignment.template = Bench.template(server)
        assignment.idleAfter = .milliseconds(100)
        assignment.standby = standby
        supply.assign([RevisionOrder(assignment, requestTimeoutMax: .seconds(30))], isComplete: true)
    }

    private func ask(_ server: Server) throws -> Int64 {
        let begin = nanoseconds()
        let socket = clinux_stream_socket(AF_INET)
        defer { close(socket) }
        var address = address
        guard clinux_connect(socket, &address) >= 0 else { throw BenchError("the edge does not accept") }
        try Asking.ask(socket, host: server.host)
        return nanoseconds() - begin
    }

    /// Ends what the request started.
    func stopRunners() async throws {
        supply.assign([], isComplete: true)
        for _ in 0..<5000 {
            if await supply.runnerReports.isEmpty { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw BenchError("a runner does not stop")
    }
}

/// The bundles of the servers: their directories.
private struct ServerBundles: BundleDirectories {
    let directory: String

    func directory(for bundle: Digest) async throws(RunnerError) -> String {
        let server = Server.allCases.first { $0.digest == bundle }
        return "\(directory)/\(server?.rawValue ?? "")"
    }
}

/// The runners, but how many shells are parked is the bench's to say.
private struct KeptPool: RunnerPort {
    let runners: SandboxedRunners

    func start(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String
    ) async throws(RunnerError) -> RunnerHandle {
        try await runners.start(id, revision: revision, template, bundle: bundle)
    }

    func waitReady(_ runner: RunnerHandle) async throws(RunnerError) { try await runners.waitReady(runner) }
    func stop(_ runner: RunnerHandle, grace: Duration) async { await runners.stop(runner, grace: .zero) }
    func keepReady(_ counts: [SandboxShape: Int]) {}
    func pause(_ runner: RunnerHandle) { runners.pause(runner) }
    func resume(_ runner: RunnerHandle) { runners.resume(runner) }
    var exits: AsyncStream<RunnerExit> { runners.exits }
    var deniedSyscalls: [String: [String]] { runners.deniedSyscalls }
    var deniedChanges: AsyncStream<Void> { runners.deniedChanges }
    func forgetDenied(except revisions: Set<String>) { runners.forgetDenied(except: revisions) }
    var protections: [String: String] { runners.protections }

    func learn(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        _ settings: LearnSettings
    ) async throws(RunnerError) -> SyscallLesson {
        try await runners.learn(id, revision: revision, template, bundle: bundle, settings)
    }

    func checkPort(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        timeout: Duration
    ) async throws(RunnerError) -> PortCheckReport {
        try await runners.checkPort(id, revision: revision, template, bundle: bundle, timeout: timeout)
    }
}
