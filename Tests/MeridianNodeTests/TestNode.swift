// TestNode: a whole node in this process, with a real edge or a quiet one, a real control socket and fake runners.
import Glibc
import Logging
import MeridianAPIClient
import MeridianContent
import MeridianModel
import MeridianPorts
import MeridianRunners
import ServiceLifecycle
import Testing

@testable import MeridianNode

/// The parts of a node, put together as the program does it.
struct TestNode: Sendable {
    let directory: String
    let runners: any RunnerPort
    let supply: RunnerSupply
    let keeper: AssignmentKeeper
    let drain = DrainSwitch()
    let feed = ReportFeed()
    let client: NodeClient
    private let socket: ControlSocket

    init(
        in directory: String,
        runners: any RunnerPort,
        edge: any NodeEdge,
        demands: DemandBox = DemandBox(),
        bundles: any BundleDirectories = FakeBundles()
    ) throws {
        self.directory = directory
        self.runners = runners
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = ReportClock(moment: .now, wall: Timestamp(milliseconds: 1_000_000))
        let feed = feed
        let supply = RunnerSupply(
            runners: runners,
            edge: edge,
            bundles: bundles,
            demands: demands,
            state: SupplyState(seed: 1, clock: clock),
            logger: logger
        ) { feed.changed() }
        self.supply = supply
        keeper = AssignmentKeeper(
            path: "\(directory)/assignment.json",
            edge: edge,
            assign: { orders, isComplete in
                supply.assign(orders, isComplete: isComplete)
                if isComplete { runners.forgetDenied(except: Set(orders.map(\.assignment.key))) }
            },
            onChange: { feed.changed() }
        )
        let service = NodeService(
            name: "local",
            instance: "test",
            edges: ["127.0.0.1:1"],
            keeper: keeper,
            supply: supply,
            edge: edge,
            runners: runners,
            bundles: bundles,
            feed: feed,
            logs: RunnerLogs(directory: "\(directory)/logs")
        )
        let path = "\(directory)/node.sock"
        socket = try ControlSocket(path: path, service: service, drain: drain, logger: logger)
        client = NodeClient(socket: path)
    }

    /// Runs the node while `body` runs, then drains it; fails where it does not end in time.
    func run(_ body: @escaping @Sendable (TestNode) async throws -> Void) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: socket), .init(service: supply), .init(service: feed),
                .init(service: DenialWatch(runners: runners, feed: feed)),
                .init(service: drain, successTerminationBehavior: .gracefullyShutdownGroup),
            ],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(20)
        let group = ServiceGroup(configuration: configuration)
        let client = client
        let result: Result<Void, any Error> = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await group.run() }
            let result: Result<Void, any Error>
            do {
                try await eventually("the control socket answers") { (try? await client.report()) != nil }
                try await body(self)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            await tasks.waitForAll()
            return result
        }
        await client.shutdown()
        try result.get()
    }
}

/// Waits until `condition` holds, looking every few milliseconds, for a minute at most.
func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw Missing(what: what)
}

/// Something that had to happen did not.
struct Missing: Error, CustomStringConvertible {
    let what: String
    var description: String { "not within a minute: \(what)" }
}

/// Runs `body` with a new directory that is removed afterwards.
func withDirectory<Answer>(_ body: (String) async throws -> Answer) async throws -> Answer {
    var template = Array("/tmp/meridian-node-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // What cannot be removed from /tmp is no matter of the test.
    defer { try? DurableFile.remove(directory) }
    return try await body(directory)
}

/// An assignment of one revision on `web.localhost`.
func assignment(_ number: Int, _ orders: [RevisionOrder] = [order()]) -> NodeAssignment {
    var assignment = NodeAssignment()
    assignment.number = number
    assignment.revisions = orders.map(\.assignment)
    assignment.routes = RouteTable(number: number, hosts: [])
    if let first = orders.first {
        var route = HostRoute()
        route.host = "web.localhost"
        route.app = "default/web"
        route.backends = [RouteBackend(revision: first.assignment.key, weight: 100)]
        assignment.routes.hosts = [route]
    }
    return assignment
}
