// EdgeStand: an edge with one app's host in front of a test backend.
import Glibc
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

/// The parent of all suites with sockets: they measure and count, so they run one after another.
@Suite("The edge", .serialized)
struct EdgeTests {}

/// An edge that serves `app.test` by the revision `default/app-00001`.
final class EdgeStand: Sendable {
    static let revision = "default/app-00001"

    let edge: Edge
    let backend: TestBackend
    let port: UInt16
    private let log = DemandLog()

    /// The revisions that the edge wanted runners of, in order.
    var demands: [String] { log.revisions.withLock { $0 } }

    /// Starts an edge and gives it its table.
    ///
    /// `hasRunner` tells whether the backend is a runner from the start.
    init(
        _ backend: TestBackend,
        loops: Int = 2,
        limits: EdgeLimits = EdgeLimits(),
        concurrencyMax: Int = 1000,
        hasRunner: Bool = true,
        changing change: (inout HostRoute) -> Void = { _ in }
    ) async throws {
        self.backend = backend
        let configuration = EdgeConfiguration(
            listen: [EdgeAddress(host: "127.0.0.1", port: 0)],
            loops: loops,
            region: "fra",
            limits: limits
        )
        let log = self.log
        edge = Edge(configuration) { demand in log.revisions.withLock { $0.append(demand.revision) } }
        port = try edge.start()[0].port
        var host = Self.host()
        change(&host)
        try await edge.apply(RouteTable(number: 1, hosts: [host]))
        if hasRunner { await setRunners([backend], concurrencyMax: concurrencyMax) }
    }

    static func host(_ name: String = "app.test") -> HostRoute {
        var host = HostRoute()
        host.host = name
        host.app = "default/app"
        host.backends = [RouteBackend(revision: revision, weight: 100)]
        host.requestTimeout = .seconds(20)
        return host
    }

    func setRunners(_ backends: [TestBackend], isResumed: Bool = false, concurrencyMax: Int = 1000) async {
        let endpoints = backends.map { backend in
            RunnerEndpoint(id: "app-\(backend.port)", networkNamespace: -1, port: backend.port, isResumed: isResumed)
        }
        await edge.setRunners(Self.revision, endpoints, concurrencyMax: concurrencyMax)
    }

    func client() throws -> TestSocket { try TestSocket(port: port) }

    /// One request on a connection of its own.
    func get(_ target: String = "/", _ fields: String = "") throws -> TestResponse {
        let client = try client()
        try client.send("GET \(target) HTTP/1.1\r\nHost: app.test\r\n\(fields)\r\n")
        return try client.receiveResponse()
    }

    var parked: Int { edge.load().revisions[Self.revision]?.parked ?? 0 }
    var inFlight: Int { edge.load().runners.values.reduce(0) { $0 + $1.inFlight } }

    func stop() async {
        await edge.stop()
        backend.stop()
    }
}

/// Collects demands from the loops' threads.
private final class DemandLog: Sendable {
    let revisions = Mutex<[String]>([])
}

/// Waits until a condition holds, at most five seconds; whether it did.
func eventually(_ condition: () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(5)
    while !condition() {
        guard clock.now < end else { return false }
        await Task.yield()
        usleep(500)
    }
    return true
}
