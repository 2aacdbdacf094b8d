import Logging
// NodeTests: requests through a real edge to runners that the supply starts and stops.
import MeridianAPIClient
import MeridianEdge
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@testable import MeridianNode

@Suite("A node under requests", .serialized)
struct NodeTests {
    /// Runs `body` with a node behind a real edge on some port.
    private func withNode(
        _ runners: FakeRunners,
        _ body: @escaping @Sendable (TestNode, UInt16) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            let demands = DemandBox()
            let configuration = EdgeConfiguration(
                listen: [EdgeAddress(host: "127.0.0.1", port: 0)],
                loops: 2,
                region: "local"
            )
            let edge = Edge(configuration) { demands.add($0.revision) }
            let port = try #require(try edge.start().first?.port)
            let node = try TestNode(
                in: directory,
                runners: runners,
                edge: EdgeOfNode(edge: edge, logger: Logger(label: "test")),
                demands: demands
            )
            try await node.run { try await body($0, port) }
            await edge.stop()
        }
    }

    @Test("the first request is cold, the second hot, and an idle runner goes")
    func coldHotIdle() async throws {
        let runners = FakeRunners()
        try await withNode(runners) { node, port in
            try await node.client.assign(assignment(1, [order(idleAfter: .milliseconds(500))]))
            let first = try #require(await get(port))
            #expect(first.status == 200)
            #expect(first.temperature == "cold")
            let second = try #require(await get(port))
            #expect(second.temperature == "hot")
            #expect(second.body == first.body)
            try await eventually("the idle runner is stopped") { runners.state.withLock { $0.programs.isEmpty } }
            let third = try #require(await get(port))
            #expect(third.status == 200)
            #expect(third.temperature == "cold")
        }
    }

    @Test("no request fails while runners come, go and are replaced under load")
    func underLoad() async throws {
        let runners = FakeRunners(serviceTime: 3000)
        try await withNode(runners) { node, port in
            let first = order(max: 4, target: 2, idleAfter: .milliseconds(300))
            try await node.client.assign(assignment(1, [first]))
            async let statuses = load(port, clients: 24, requestsEach: 60)
            for number in 2...4 {
                try await eventually("runners serve") { try await node.client.report().runners.count > 1 }
                let next = order(max: 4, target: 2, idleAfter: .milliseconds(300), restart: number)
                try await node.client.assign(assignment(number, [next]))
                try await eventually("the restart is through") {
                    let states = try await node.client.report().runners
                    return states.contains { $0.restartNumber == number && $0.state == .ready }
                }
            }
            let all = await statuses
            #expect(all.count == 24 * 60)
            #expect(all.allSatisfy { $0 == 200 }, "answers: \(Set(all))")
            #expect(runners.state.withLock { $0.most } >= 3)
            try await eventually("all runners are stopped") { runners.state.withLock { $0.programs.isEmpty } }
            #expect(runners.state.withLock { $0.cut } == 0)
        }
    }

    /// The statuses of all requests; 0 for a connection that failed.
    private func load(_ port: UInt16, clients: Int, requestsEach: Int) async -> [Int] {
        await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<clients {
                group.addTask {
                    var statuses: [Int] = []
                    for _ in 0..<requestsEach { statuses.append(await get(port)?.status ?? 0) }
                    return statuses
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    @Test("a program that does not start answers its requests with 503 and the reason at once")
    func brokenProgram() async throws {
        let runners = FakeRunners()
        runners.state.withLock { $0.failure = "exited with code 3" }
        try await withNode(runners) { node, port in
            try await node.client.assign(assignment(1))
            for _ in 0..<3 {
                let answer = try #require(await get(port))
                #expect(answer.status == 503)
                #expect(answer.body.contains("exited with code 3"))
                #expect(answer.text.lowercased().contains("retry-after:"))
            }
            let trouble = try await node.client.report().troubles.first
            #expect(trouble?.message == "exited with code 3")
        }
    }

    @Test("a crash is reported, and the least number of runners comes back")
    func crash() async throws {
        let runners = FakeRunners()
        try await withNode(runners) { node, port in
            try await node.client.assign(assignment(1, [order(min: 1)]))
            let first = try #require(await get(port))
            runners.crash(first.body)
            try await eventually("the crash is reported") { try await !node.client.report().troubles.isEmpty }
            try await eventually("another runner serves") {
                let states = try await node.client.report().runners
                return states.contains { $0.state == .ready && $0.id != first.body }
            }
            #expect(await get(port)?.status == 200)
        }
    }
}
