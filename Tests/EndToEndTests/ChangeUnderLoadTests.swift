// ChangeUnderLoadTests: 10,000 requests through every kind of change, and not one lost.
import Foundation
import Testing

@Suite("Change under load", .enabled(if: Programs.missing == nil, "needs root and the built program"), .serialized)
struct ChangeUnderLoadTests {
    private static let requests = 10_000
    private static let concurrency = 32

    @Test("a new revision takes over without a failed request", .timeLimit(.minutes(5)))
    func newRevision() throws {
        let (platform, directory) = try busyPlatform()
        let load = run(on: platform)
        try waitForAnswers(load, 1000)
        let applied = try platform.apply(Fixtures.app("busy", "env: {WORD: second}"), in: directory)
        #expect(applied.code == 0, "\(applied.all)")
        check(load.finish(), platform)
        #expect(try platform.get("busy.default.localhost").body.contains("word=second"))
    }

    @Test("a change of weights loses no request", .timeLimit(.minutes(5)))
    func weights() throws {
        let (platform, directory) = try busyPlatform()
        try #require(
            try platform.apply(Fixtures.app("busy", "env: {WORD: second}"), in: directory).code == 0,
            "\(platform.log)"
        )
        try #require(try platform.apply(split(first: 90, second: 10), in: directory, wait: false).code == 0)
        let isRouted = try eventually(within: 10) { try platform.get("weighed.localhost").status == 200 }
        #expect(isRouted)
        let load = run(on: platform, host: "weighed.localhost")
        try waitForAnswers(load, 2000)
        try #require(try platform.apply(split(first: 10, second: 90), in: directory, wait: false).code == 0)
        let report = load.finish()
        check(report, platform)
        #expect(report.revisions.count == 2, "\(report.revisions)")
    }

    @Test("a rollback under load loses no request, needs no build, and survives a restart", .timeLimit(.minutes(5)))
    func rollback() throws {
        let (platform, directory) = try busyPlatform()
        try #require(
            try platform.apply(Fixtures.app("busy", "env: {WORD: second}"), in: directory).code == 0,
            "\(platform.log)"
        )
        let load = run(on: platform)
        try waitForAnswers(load, 1000)
        let back = try platform.meridian("rollback", "busy")
        #expect(back.code == 0, "\(back.all)")
        check(load.finish(), platform)
        #expect(try platform.get("busy.default.localhost").headers["x-meridian-revision"] == "busy-00001")
        #expect(try platform.meridian("get", "revisions").output.split(separator: "\n").count == 3)
        #expect(try platform.meridian("describe", "app", "busy").output.contains("busy-00001"))

        platform.stop()
        try platform.start()
        #expect(try platform.get("busy.default.localhost").headers["x-meridian-revision"] == "busy-00001")
        let third = try platform.apply(Fixtures.app("busy", "env: {WORD: third}"), in: directory)
        #expect(third.code == 0, "\(third.all)")
        #expect(
            try platform.get("busy.default.localhost").body.contains("word=third"),
            "a newer revision ends a rollback"
        )
    }

    @Test("kill -9 of the control plane loses no request and costs no cold start", .timeLimit(.minutes(5)))
    func controlPlaneKilled() throws {
        let (platform, directory) = try busyPlatform()
        try #require(
            try platform.apply(Fixtures.app("asleep", "scaling: {idleAfter: 500ms}"), in: directory).code == 0,
            "\(platform.log)"
        )
        _ = try platform.get("busy.default.localhost")
        let node = platform.nodePid
        let load = run(on: platform)
        try waitForAnswers(load, 1000)
        platform.killControlPlane()
        check(load.finish(), platform)
        #expect(try platform.get("asleep.default.localhost").status == 200, "cold starts work without a control plane")

        let before = Set(platform.runnerProcesses)
        try platform.start()
        #expect(platform.nodePid == node, "the node was adopted")
        #expect(before.isSubset(of: Set(platform.runnerProcesses)) || !before.isEmpty)
        let settled = try eventually(within: 10) { try platform.meridian("plan").code == 0 }
        let plan = try platform.meridian("plan")
        #expect(settled, "something is to be done after the restart: \(plan.all)")
        #expect(try platform.meridian("get", "revisions").output.split(separator: "\n").count == 3)
        #expect(try platform.get("busy.default.localhost").headers["x-meridian-temperature"] == "hot")
    }

    @Test("kill -9 of the node: it is started again, and nothing of the old one is left", .timeLimit(.minutes(5)))
    func nodeKilled() throws {
        let (platform, _) = try busyPlatform()
        _ = try platform.get("busy.default.localhost")
        let node = platform.nodePid
        let family = Processes.descendants(of: node)
        #expect(!family.isEmpty)
        kill(node, SIGKILL)
        let gone = eventually(within: 20) { family.allSatisfy { kill($0, 0) != 0 } }
        #expect(gone, "processes of the killed node are left")
        let isBack = eventually(within: 30) { platform.nodePid != node && kill(platform.nodePid, 0) == 0 }
        #expect(isBack)
        let answers = eventually(within: 30) { (try? platform.get("busy.default.localhost").status) == 200 }
        #expect(answers, "\(platform.log)")
    }

    @Test("ctrl-C drains the control plane and the node", .timeLimit(.minutes(5)))
    func drain() throws {
        let (platform, _) = try busyPlatform()
        _ = try platform.get("busy.default.localhost")
        let node = platform.nodePid
        let family = [node] + Processes.descendants(of: node)
        let slow = LoadRun(
            port: platform.edgePort,
            host: "busy.default.localhost",
            path: "/sleep/300",
            requests: 4,
            concurrency: 4
        )
        #expect(eventually(within: 10) { slow.started == 4 })
        platform.stop()
        #expect(slow.finish().failed == 0, "requests in flight were cut by the drain")
        #expect(family.allSatisfy { kill($0, 0) != 0 }, "something of the platform is left")
        #expect(!FileManager.default.fileExists(atPath: platform.data.path + "/server.json"))
    }

    private func busyPlatform() throws -> (Platform, ScratchDirectory) {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let applied = try platform.apply(Fixtures.app("busy", "env: {WORD: first}"), in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        return (platform, directory)
    }

    private func run(on platform: Platform, host: String = "busy.default.localhost") -> LoadRun {
        LoadRun(port: platform.edgePort, host: host, requests: Self.requests, concurrency: Self.concurrency)
    }

    private func waitForAnswers(_ load: LoadRun, _ count: Int) throws {
        #expect(eventually(within: 60) { load.answered >= count })
    }

    private func check(_ report: LoadReport, _ platform: Platform) {
        #expect(report.total == Self.requests)
        #expect(report.failed == 0, "\(report.statuses) \(report.failures.prefix(3))\n\(platform.log)")
    }

    private func split(first: Int, second: Int) -> String {
        """
        apiVersion: meridian.dev/v1
        kind: TrafficSplit
        metadata: {name: weighed}
        spec:
          app: busy
          hosts: [weighed.localhost]
          backends: [{revision: busy-00001, weight: \(first)}, {revision: latest, weight: \(second)}]
        """
    }
}
