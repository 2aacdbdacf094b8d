// WaitTests: the progress of `apply --wait`, as a state machine and as a verb.

import MeridianModel
import Testing

@testable import MeridianCommands

private let hello = ObjectKey(kind: "App", namespace: "default", name: "hello")

private func app(_ generation: Int, _ conditions: [Condition], serving: String? = nil, latest: String? = "hello-00002")
    -> App
{
    var app = App(metadata: Metadata(name: "hello", namespace: "default"), spec: AppSpec())
    app.status.observedGeneration = generation
    app.status.conditions = conditions
    app.status.latestRevision = latest
    app.status.servingRevision = serving
    app.status.url = "http://hello.default.localhost"
    return app
}

private func revision(_ generation: Int, stages: [(String, Int)]) -> Revision {
    var revision = Revision(metadata: Metadata(name: "hello-00002", namespace: "default"), spec: RevisionSpec())
    revision.spec.app = "hello"
    revision.spec.appGeneration = generation
    revision.status.stages = stages.map { StageDuration(name: $0.0, duration: .milliseconds($0.1)) }
    return revision
}

@Suite("Waiting for apps")
struct WaitTests {
    private var progress = AppProgress(goal: AppGoal(key: hello, generation: 2))

    @Test("stages are told once each, then activation, then the end")
    func story() {
        var progress = progress
        var lines: [String] = []
        lines += progress.see(
            app(1, [Condition("Ready", .isTrue, "Listening")], serving: "hello-00001"),
            at: .seconds(0)
        )
        lines += progress.see(app(2, [Condition("Ready", .unknown, "InProgress", "is being built")]), at: .seconds(1))
        #expect(progress.state == .underWay("is being built"))
        lines += progress.see(revision(2, stages: [("source", 12), ("build", 3200)]), at: .seconds(3))
        lines += progress.see(
            revision(2, stages: [("source", 12), ("build", 3200), ("portCheck", 65_000)]),
            at: .seconds(4)
        )
        let ready = [Condition("Built", .isTrue, "Built"), Condition("Ready", .isTrue, "Listening")]
        let routed = Condition("Serving", .isTrue, "Routed")
        lines += progress.see(app(2, ready + [routed], serving: "hello-00001"), at: .seconds(4))
        #expect(!progress.isDone)
        let switching = Condition("Serving", .isTrue, "Switching")
        lines += progress.see(app(2, ready + [switching], serving: "hello-00002"), at: .seconds(4))
        #expect(!progress.isDone, "the old revision still gets the requests")
        lines += progress.see(app(2, ready + [routed], serving: "hello-00002"), at: .milliseconds(4250))
        #expect(progress.isDone)
        #expect(
            lines == [
                "app/hello  source 12ms", "app/hello  build 3.2s", "app/hello  port check 1m05s",
                "app/hello  activate 250ms",
                "app/hello  ready after 4.2s: hello-00002 serves at http://hello.default.localhost",
            ]
        )
    }

    @Test("a failure of an older generation is not the failure of this one")
    func olderFailure() {
        var progress = progress
        #expect(progress.see(app(1, [Condition("Built", .isFalse, "CommandFailed")]), at: .zero) == [])
        #expect(!progress.isDone)
        #expect(progress.see(revision(1, stages: [("build", 1)]), at: .zero) == [])
    }

    @Test("a rolled back app is ready although its newest revision does not serve")
    func pinned() {
        var progress = progress
        let conditions = [Condition("Ready", .isTrue, "Listening"), Condition("Serving", .isTrue, "Routed")]
        var pinned = app(2, conditions, serving: "hello-00001")
        pinned.status.pinnedRevision = "hello-00001"
        #expect(
            progress.see(pinned, at: .seconds(1)) == [
                "app/hello  ready after 1.0s: hello-00001 serves at http://hello.default.localhost"
            ]
        )
    }

    @Test("the first failure ends the wait, and its words are the condition's")
    func failed() {
        var report = WaitReport(goals: [
            AppGoal(key: hello, generation: 2),
            AppGoal(key: ObjectKey(kind: "App", namespace: "default", name: "slow"), generation: 1),
        ])
        let message = "hello-00002: exited with code 3\nlast output:\nno such host"
        _ = report.see(app(2, [Condition("Ready", .isFalse, "Exited", message)]), at: .seconds(2))
        #expect(report.isDone)
        #expect(
            report.errors(timeout: .seconds(300)).map(\.description) == [
                "app/hello: Exited: \(message)\nMend it and apply again; see more with: meridian describe app hello"
            ]
        )
    }

    @Test("a time-out says what is waited for")
    func timedOut() {
        let report = WaitReport(goals: [AppGoal(key: hello, generation: 2)])
        #expect(
            report.errors(timeout: .seconds(300)).map(\.description) == [
                """
                app/hello: not ready after 5m: waiting for the control plane. \
                It goes on; look again with: meridian describe app hello
                """
            ]
        )
    }

    @Test("the live block has one clipped line per app and is drawn over the last one")
    func block() {
        var report = WaitReport(goals: [AppGoal(key: hello, generation: 2)])
        _ = report.see(revision(2, stages: [("source", 12)]), at: .seconds(1))
        #expect(
            report.block(at: .seconds(2), columns: 80) == [
                "… app/hello  2.0s  waiting for the control plane  (source 12ms)"
            ]
        )
        #expect(report.block(at: .seconds(2), columns: 11) == ["… app/hello"])
        var block = LiveBlock()
        #expect(block.replacing(with: ["a", "b"]) == "a\nb\n")
        #expect(block.replacing(with: ["c"]) == "\u{1B}[2A\r\u{1B}[Jc\n")
    }

    @Test("many apps are counted below the block")
    func manyApps() {
        let goals = (0..<25).map {
            AppGoal(key: ObjectKey(kind: "App", namespace: "default", name: "a\($0)"), generation: 1)
        }
        let lines = WaitReport(goals: goals).block(at: .zero, columns: 80)
        #expect(lines.count == 21)
        #expect(lines.last == "  and 5 more; 0 of 25 are ready")
    }

    @Test("apply --wait exits 0 when all serve, with lines on a pipe and a block on a terminal")
    func verb() async throws {
        let folder = try TestFolder(["app.yaml": manifest("App", "spec: {source: {path: .}}", name: "hello")])
        let ready: JSONValue = [
            "observedGeneration": 1, "latestRevision": "hello-00001", "servingRevision": "hello-00001",
            "conditions": [
                ["type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"],
                [
                    "type": "Serving", "status": "True", "reason": "Routed",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ],
            ],
        ]
        let platform = FakePlatform { $0.setStatus($1, ready) }
        let piped = await CommandRun(["apply", "-f", "\(folder.path)/app.yaml", "--wait"], on: platform)
        #expect(piped.code == 0)
        #expect(piped.output == "app/hello created\n")
        #expect(piped.errors.hasPrefix("app/hello  ready after "))
        let terminal = await CommandRun(
            ["apply", "-f", "\(folder.path)/app.yaml", "--wait=30s"],
            on: platform,
            columns: 60
        )
        #expect(terminal.code == 0)
        #expect(terminal.errors.contains("✓ app/hello"))
    }

    @Test("apply --wait exits 1 after a failure at once, and after the time-out with other words")
    func verbFails() async throws {
        let folder = try TestFolder(["app.yaml": manifest("App", "spec: {source: {path: .}}", name: "hello")])
        let failed: JSONValue = [
            "observedGeneration": 1, "latestRevision": "hello-00001",
            "conditions": [
                [
                    "type": "Ready", "status": "False", "reason": "ListensNowhere", "message": "listens on nothing",
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
            ],
        ]
        let arguments = ["apply", "-f", "\(folder.path)/app.yaml"]
        let run = await CommandRun(arguments + ["--wait"], on: FakePlatform { $0.setStatus($1, failed) })
        #expect(run.code == 1)
        #expect(run.errors.contains("error: app/hello: ListensNowhere: listens on nothing"))
        let late = await CommandRun(arguments + ["--wait=50ms"], on: FakePlatform())
        #expect(late.code == 1)
        #expect(late.errors.contains("error: app/hello: not ready after 50ms: waiting for the control plane"))
        #expect(await CommandRun(arguments + ["--wait=soon"]).code == 64)
    }
}
