// PlanPropertyTests: what holds of every plan.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Every plan")
struct PlanPropertyTests {
    /// A world with as many apps in all stages.
    static func scene(seed: Int) -> Scene {
        var scene = Scene()
        for index in 0..<6 {
            let name = "app\(index)"
            scene.app(name, source: 1, min: (seed + index) % 3)
            if (seed >> index) & 1 == 1 {
                scene.revision(name, 1, [.new, .built, .ready, .failed][(seed / 7 + index) % 4])
            }
            if (seed + index) % 5 == 0 { scene.edit(name) { $0.metadata.deletionTimestamp = Scene.start } }
        }
        scene.split("split", of: "app1", hosts: ["s.localhost"], [SplitBackend(revision: "latest", weight: 100)])
        return scene
    }

    @Test("is the same for the same world", arguments: 0..<64)
    func isDeterministic(seed: Int) {
        let scene = Self.scene(seed: seed)
        #expect(plan(scene.world) == plan(scene.world))
    }

    @Test("leads to a world without steps in a few turns", arguments: 0..<64)
    func converges(seed: Int) throws {
        var scene = Self.scene(seed: seed)
        let turnsTaken = scene.settle()
        let turns = try #require(turnsTaken)
        #expect(turns <= 16)
        #expect(scene.plan.text == "nothing to do\n")
    }

    @Test("leaves objects alone that are held back, and says when it looks again", arguments: 0..<64)
    func respectsHeldBack(seed: Int) {
        var scene = Self.scene(seed: seed)
        let until = Scene.start + .seconds(30)
        for step in scene.plan.steps { scene.world.heldBack[step.subject] = until }
        #expect(scene.plan.steps.isEmpty)
        #expect(scene.plan.wakeAt == until)
        scene.world.now = until
        #expect(!scene.plan.steps.isEmpty)
    }

    @Test("is what the preview promises")
    func previewIsThePlan() {
        var scene = Scene()
        scene.app("hello", min: 1)
        let lines = predict(scene.world).effects.map(\.text)
        #expect(
            lines == [
                "make revision default/hello-00001", "build default/hello-00001",
                "check that default/hello-00001 listens on $PORT", "serve hello-00001 of default/hello",
                "route hello-00001.default.localhost to 100 % hello-00001",
                "route hello.default.localhost to 100 % hello-00001",
                "start 1 runners of default/hello-00001 on node local",
            ]
        )
    }

    @Test("with declared objects is shown without what happens anyway")
    func previewOfObjects() {
        var scene = Scene()
        scene.app("under-way", min: 1)
        var app = App(metadata: Metadata(name: "new", namespace: "default"), spec: AppSpec())
        app.spec.source.digest = Scene.digest(9)
        var blocked = App(metadata: Metadata(name: "blocked", namespace: "default"), spec: AppSpec())
        blocked.spec.source.path = "./blocked"
        let added = predict(scene.world, adding: [app, blocked])
        #expect(!added.effects.isEmpty)
        #expect(added.effects.allSatisfy { $0.text.contains("new") }, "\(added.text)")
        #expect(predict(scene.world, adding: []).text == "nothing to do\n")
    }

    @Test("makes no revision while one of an earlier app of the name is there")
    func waitsForTakenNames() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.edit("hello") { $0.metadata.uid = "uid-another" }
        #expect(scene.plan.waiting.contains { $0.text.contains("earlier app") })
        let turns = scene.settle()
        #expect(turns != nil)
        #expect(
            scene.world.revisions["default/hello-00001"]?.object.metadata.ownerReferences.first?.uid == "uid-another"
        )
    }

    @Test("never uses a number again that a node may have seen")
    func numbersRise() {
        var scene = Scene()
        scene.app("hello")
        scene.world.nodeViews[Scene.node]?.numberTried = 41
        #expect(scene.assignment?.number == 42)
        scene.world.nodeViews[Scene.node]?.report?.assignment = 50
        #expect(scene.assignment?.number == 51)
    }

    @Test("takes a report from before an assignment for no sign that it was lost, one of a new instance for one")
    func oldReportsAreNoLoss() {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        scene.world.nodeViews[Scene.node]?.report?.assignment = 0
        #expect(scene.words.isEmpty)
        scene.world.nodeViews[Scene.node]?.report?.instance = "second"
        #expect(scene.words == ["assign 2 hosts and 1 revisions to node local"])
    }

    @Test("says nothing of a node before it is heard")
    func unheardNodeIsNotSilent() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.world.nodeViews[Scene.node]?.report = nil
        scene.world.nodeViews[Scene.node]?.assigned = nil
        #expect(scene.plan.steps.isEmpty)
    }

    @Test("an object table stays sorted by namespace and name whatever the order of additions")
    func tableIsSorted() {
        var table = ObjectTable<Region>()
        for name in ["m", "c", "z", "a", "q", "c"] {
            table.set(Stored(Region(metadata: Metadata(name: name), spec: RegionSpec()), modRevision: 1))
        }
        table.remove("q")
        table.remove("missing")
        #expect(table.map(\.object.metadata.name) == ["a", "c", "m", "z"])
        #expect(table["z"] != nil)
        #expect(table.count == 4)
    }
}
