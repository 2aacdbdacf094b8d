// LoopTests: the loop from a declared app to a served one, and what it does when things fail.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore
import Testing

@Suite("The loop")
struct LoopTests {
    @Test("brings a declared app to serving and then rests")
    func servesAnApp() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello") { $0.spec.scaling.min = 1 }
        #expect(try await stage.settle(loop))
        let app = try await stage.read(App.self, "hello")
        #expect(app?.status.servingRevision == "hello-00001")
        #expect(app?.status.conditions.filter { $0.status == .isTrue }.map(\.type) == ["Built", "Ready", "Serving"])
        #expect(
            stage.node.assignments.last?.routes.hosts.map(\.host) == [
                "hello-00001.default.localhost", "hello.default.localhost",
            ]
        )
        #expect(try await stage.read(Runner.self, "hello-00001-0")?.status.state == .ready)
        let uid = try await stage.read(Revision.self, "hello-00001")?.metadata.uid ?? ""
        #expect(uid.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
    }

    @Test("writes nothing at rest, and nothing after a restart but one assignment with a higher number")
    func restIsQuiet() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello") { $0.spec.scaling.min = 2 }
        try await stage.settle(loop)
        let revision = try await stage.store.snapshot(kinds: []).revision
        let assignments = stage.node.assignments
        let next = stage.reconciler()
        _ = try await next.turn()
        try await stage.settle(next)
        #expect(try await stage.store.snapshot(kinds: []).revision == revision)
        #expect(stage.node.assignments.count == assignments.count + 1)
        #expect((stage.node.assignments.last?.number ?? 0) > (assignments.last?.number ?? 0))
        #expect(stage.node.assignments.last?.revisions == assignments.last?.revisions)
    }

    @Test("builds again what was being built when the last control plane ended")
    func restartBuildsAgain() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello")
        for _ in 0..<3 { _ = try await loop.turn() }
        #expect(stage.pendingWorks.count == 1)
        let next = stage.reconciler()
        for _ in 0..<3 { _ = try await next.turn() }
        #expect(stage.pendingWorks.count == 2)
        #expect(try await stage.settle(next))
        #expect(try await stage.read(App.self, "hello")?.status.servingRevision == "hello-00001")
    }

    @Test("says why a build failed, with its last output")
    func buildFailureIsTold() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello", source: 91)
        try await stage.settle(loop)
        let condition = try await stage.read(App.self, "hello")?.status.conditions.condition("Built")
        #expect(condition?.reason == "CommandFailed")
        #expect(condition?.message == "hello-00001: stage build: exit code 1\nlast output:\nmain.c:1: error")
        #expect(try await stage.events().contains { $0.reason == "CommandFailed" && $0.type == .warning })
    }

    @Test("drops the result for an earlier revision of the same name")
    func resultsBelongToOneRevision() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello", source: 1)
        for _ in 0..<2 { _ = try await loop.turn() }
        let old = try #require(stage.pendingWorks.first)
        // The app goes with its revision, and another one of its name comes.
        try await stage.store.commit([.delete(Stage.app("hello"), .any), .delete(Stage.revision("hello-00001"), .any)])
        try await stage.apply("hello", source: 2) { $0.metadata.uid = "uid-another" }
        for _ in 0..<2 { _ = try await loop.turn() }
        #expect(stage.cancelledWorks == [Stage.revision("hello-00001")])
        #expect(stage.pendingWorks.count == 2)
        loop.finish(old, .revision(.built(BuiltBundle(bundle: digest(1), executable: "server"))))
        _ = try await loop.turn()
        #expect(try await stage.read(Revision.self, "hello-00001")?.status.bundle == nil)
        try await stage.settle(loop)
        #expect(try await stage.read(Revision.self, "hello-00001")?.status.bundle == digest(2))
    }

    @Test("tries what fails less and less often, and goes on with everything else")
    func failuresBackOff() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        stage.node.refuse(NodeError(.refused, "no disk space"))
        try await stage.apply("hello")
        let end = stage.clock.now + .seconds(3600)
        while stage.clock.now < end {
            loop.note(stage.node.current, of: Stage.nodeName)
            await stage.endWorks(loop)
            let plan = try await loop.turn().plan
            if plan.steps.isEmpty {
                stage.clock.advance(by: max(.milliseconds(1), (plan.wakeAt ?? end) - stage.clock.now))
            }
        }
        // 1 + 2 + … + 256 s, then every 300 s: about 20 in an hour.
        #expect(stage.node.tried > 10)
        #expect(stage.node.tried < 25)
        #expect(try await stage.read(Revision.self, "hello-00001")?.status.conditions.holds("Ready") == true)
        stage.node.refuse(nil)
        stage.clock.advance(by: .seconds(300))
        #expect(try await stage.settle(loop))
        #expect(stage.node.assignments.last?.routes.hosts.count == 2)
    }

    @Test("opens Secrets for the node alone: neither store nor log holds a value")
    func secretsStaySealed() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        var secret = Secret()
        secret.metadata = Metadata(name: "db", namespace: "default")
        secret.sealed = ["PASSWORD": String("correct-horse".reversed())]
        try await stage.store.commit([.put(secret.key, secret.encoded(), .absent)])
        try await stage.apply("hello") {
            $0.spec.secretEnv = ["PASSWORD": SecretReference(secret: "db", key: "PASSWORD")]
        }
        #expect(try await stage.settle(loop))
        #expect(stage.node.assignments.last?.revisions.first?.template.environment["PASSWORD"] == "correct-horse")
        #expect(stage.node.assignments.last?.revisions.first?.template.sealed.isEmpty == true)
        #expect(stage.lines.all.allSatisfy { !$0.contains("correct-horse") })
        let stored = try await stage.store.snapshot(kinds: nil).records.map {
            String(decoding: $0.value.utf8(), as: UTF8.self)
        }
        #expect(stored.allSatisfy { !$0.contains("correct-horse") })
        let assigned = try await loop.world().nodeViews[Stage.nodeName]?.assigned
        #expect(assigned?.revisions.first?.template.environment.isEmpty == true)
    }

    @Test("goes on with other apps where the Secret of one does not open; that one keeps the value that it had")
    func brokenSecretHarmsOneApp() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        var secret = Secret()
        secret.metadata = Metadata(name: "db", namespace: "default")
        secret.sealed = ["PASSWORD": "good"]
        try await stage.store.commit([.put(secret.key, secret.encoded(), .absent)])
        try await stage.apply("bad") {
            $0.spec.secretEnv = ["PASSWORD": SecretReference(secret: "db", key: "PASSWORD")]
        }
        try await stage.settle(loop)
        secret.sealed = ["PASSWORD": "!broken"]
        try await stage.store.commit([.put(secret.key, secret.encoded(), .any)])
        try await stage.apply("good")
        #expect(try await stage.settle(loop))
        let revisions = stage.node.assignments.last?.revisions ?? []
        #expect(revisions.map(\.app) == ["default/bad", "default/good"])
        #expect(revisions.first?.template.environment["PASSWORD"] == "doog")
        let condition = try await stage.read(App.self, "bad")?.status.conditions.condition("Ready")
        #expect(condition?.message.contains("does not open") == true)
    }

    @Test("deletes an app with all that is its own")
    func deletesAnApp() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.apply("hello") { $0.spec.scaling.min = 1 }
        try await stage.settle(loop)
        try await stage.apply("hello") { $0.metadata.deletionTimestamp = stage.clock.now }
        #expect(try await stage.settle(loop))
        let kinds: Set<String> = [AppSpec.kind, RevisionSpec.kind, RunnerSpec.kind]
        #expect(try await stage.store.snapshot(kinds: kinds).records.isEmpty)
        #expect(stage.node.assignments.last?.routes.hosts.isEmpty == true)
    }

    @Test("one object that cannot be read does not keep a hundred others from being served")
    func poisonHarmsNobody() async throws {
        let stage = Stage()
        let loop = stage.reconciler()
        try await stage.store.commit([.put(Stage.app("poison"), ["kind": "App", "spec": ["nonsense": 1]], .absent)])
        for index in 0..<100 { try await stage.apply("app\(index)") }
        #expect(try await stage.settle(loop))
        #expect(stage.node.assignments.last?.revisions.count == 100)
        #expect(try await stage.store.get(Stage.app("poison")) != nil)
    }
}
