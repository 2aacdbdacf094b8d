// ExecutorTests: single steps: fenced, repeatable, with their events in the same commit.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore
import Testing

@Suite("The executor")
struct ExecutorTests {
    private func executor(_ stage: Stage) -> Executor {
        Executor(ports: stage.ports, state: LoopState(nodes: [Stage.nodeName]), start: { _ in }, cancel: { _ in })
    }

    private func isStale(_ outcome: StepOutcome) -> Bool { if case .stale = outcome { true } else { false } }
    private func isDone(_ outcome: StepOutcome) -> Bool { if case .done = outcome { true } else { false } }

    private func creation(_ stage: Stage, modRevision: Int64) -> Step {
        let app = Fence(key: Stage.app("hello"), uid: "uid-hello", modRevision: modRevision)
        var spec = RevisionSpec()
        spec.app = "hello"
        let revision = Revision(metadata: Metadata(name: "hello-00001", namespace: "default"), spec: spec)
        let event = EventDraft(app.key, uid: app.uid, .normal, "RevisionCreated", "made revision hello-00001")
        return .createRevision(revision, app: app, event: event)
    }

    @Test("makes no revision for an app that has changed, and no event of it either")
    func creationIsFenced() async throws {
        let stage = Stage()
        try await stage.apply("hello")
        let planned = try await stage.store.get(Stage.app("hello"))?.modRevision ?? 0
        try await stage.apply("hello", source: 2)
        let outcome = await executor(stage).execute(creation(stage, modRevision: planned))
        #expect(isStale(outcome))
        #expect(try await stage.store.snapshot(kinds: [RevisionSpec.kind, Event.kind]).records.isEmpty)
    }

    @Test("makes a revision once, however often the step is repeated")
    func creationIsIdempotent() async throws {
        let stage = Stage()
        try await stage.apply("hello")
        let planned = try await stage.store.get(Stage.app("hello"))?.modRevision ?? 0
        let executor = executor(stage)
        #expect(isDone(await executor.execute(creation(stage, modRevision: planned))))
        let uid = try await stage.read(Revision.self, "hello-00001")?.metadata.uid
        #expect(isStale(await executor.execute(creation(stage, modRevision: planned))))
        #expect(try await stage.read(Revision.self, "hello-00001")?.metadata.uid == uid)
    }

    @Test("does not overwrite what a person wrote meanwhile")
    func writesAreFenced() async throws {
        let stage = Stage()
        try await stage.apply("hello")
        let record = try #require(try await stage.store.get(Stage.app("hello")))
        let app = try #require(try await stage.read(App.self, "hello"))
        let write = ObjectWrite(app, replaces: record.modRevision)
        try await stage.apply("hello", source: 2)
        #expect(isStale(await executor(stage).execute(.write(write))))
        #expect(try await stage.read(App.self, "hello")?.spec.source.digest == digest(2))
    }

    @Test("counts the same news up in one Event that reads back and expires after an hour")
    func eventsCountAndExpire() async throws {
        let stage = Stage()
        let executor = executor(stage)
        let long = String(repeating: "a", count: 52)
        let draft = EventDraft(Stage.app(long), uid: "uid", .warning, "BuildFailed", "it failed")
        for _ in 0..<3 {
            #expect(isDone(await executor.execute(.record(draft))))
            stage.clock.advance(by: .seconds(60))
        }
        let events = try await stage.events()
        #expect(events.map(\.count) == [3])
        #expect(events.first?.lastTimestamp.map { $0 > (events.first?.firstTimestamp ?? $0) } == true)
        #expect(isHostName(events.first?.metadata.name ?? ""))
        stage.clock.advance(by: .seconds(3601))
        try await stage.store.expireLeases()
        #expect(try await stage.store.snapshot(kinds: [Event.kind]).records.isEmpty)
    }

    @Test("takes a new lease where the old one ended before its time")
    func endedLeaseIsReplaced() async throws {
        let stage = Stage()
        let executor = executor(stage)
        let draft = EventDraft(Stage.app("hello"), uid: "uid", .normal, "Said", "something")
        _ = await executor.execute(.record(draft))
        try await stage.store.revokeLease(LeaseID(rawValue: 1))
        #expect(isStale(await executor.execute(.record(draft))))
        #expect(isDone(await executor.execute(.record(draft))))
    }

    @Test("removes only its own finalizer, and the object once none is left")
    func finalizerIsRemoved() async throws {
        let stage = Stage()
        let executor = executor(stage)
        try await stage.apply("hello") { $0.metadata.finalizers = [drainFinalizer, "example.com/backup"] }
        func fence() async throws -> Fence {
            Fence(
                key: Stage.app("hello"),
                uid: "uid-hello",
                modRevision: try await stage.store.get(Stage.app("hello"))?.modRevision ?? 0
            )
        }
        let first = try await fence()
        #expect(isDone(await executor.execute(.finishDeletion(first))))
        #expect(try await stage.read(App.self, "hello")?.metadata.finalizers == ["example.com/backup"])
        try await stage.apply("hello") { $0.metadata.finalizers = [drainFinalizer] }
        let second = try await fence()
        #expect(isDone(await executor.execute(.finishDeletion(second))))
        #expect(try await stage.store.get(Stage.app("hello")) == nil)
    }

    @Test("ends a rollback by its two annotations alone")
    func rollbackIsEnded() async throws {
        let stage = Stage()
        try await stage.apply("hello") {
            $0.metadata.annotations = [
                OwnAnnotation.rollbackTo: "hello-00001", OwnAnnotation.rollbackFrom: "hello-00002", "team": "shop",
            ]
        }
        let modRevision = try await stage.store.get(Stage.app("hello"))?.modRevision ?? 0
        let fence = Fence(key: Stage.app("hello"), uid: "uid-hello", modRevision: modRevision)
        #expect(isDone(await executor(stage).execute(.endRollback(fence))))
        #expect(try await stage.read(App.self, "hello")?.metadata.annotations == ["team": "shop"])
        #expect(try await stage.events().map(\.reason) == ["RollbackEnded"])
    }

    @Test("uids are version-4 UUIDs")
    func uidsAreUUIDs() {
        #expect(uuidText(0, 0) == "00000000-0000-4000-8000-000000000000")
        #expect(uuidText(.max, .max) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    }
}
