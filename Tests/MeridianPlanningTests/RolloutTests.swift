// RolloutTests: which revision serves, and when another one takes over.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Rollout of a new revision")
struct RolloutTests {
    private func scene(min: Int = 0, runners: Int) -> Scene {
        var scene = Scene()
        scene.app("hello", min: min)
        scene.settle()
        scene.runners([("hello-00001", runners)])
        scene.settle()
        scene.app("hello", source: 2, min: min)
        scene.revision("hello", 2, .ready, source: 2)
        return scene
    }

    private func serving(_ scene: Scene) -> String? { scene.world.apps["default/hello"]?.object.status.servingRevision }

    @Test("a revision without runners is replaced at once")
    func zeroRunnersFlip() {
        var scene = scene(runners: 0)
        let steps = scene.plan.steps
        for step in steps { scene.carryOut(step.step) }
        #expect(serving(scene) == "hello-00002")
    }

    @Test("as many runners as serve now are started before the new revision takes over", arguments: [1, 2, 5])
    func runnersArePrepared(count: Int) {
        var scene = scene(runners: count)
        let floor = scene.assignment?.revisions.first { $0.key == "default/hello-00002" }?.runnersMin
        #expect(floor == count)
        #expect(scene.route("hello.default.localhost")?.first?.revision == "default/hello-00001")
        scene.settle()
        #expect(serving(scene) == "hello-00002")
        #expect(scene.route("hello.default.localhost")?.first?.revision == "default/hello-00002")
    }

    @Test("the prepared runners are kept in the turn in which the revision takes over")
    func preparedRunnersStayUp() {
        var scene = scene(runners: 2)
        for step in scene.plan.steps { scene.carryOut(step.step) }
        let assigned = scene.assignment
        #expect(scene.words.allSatisfy { !$0.hasPrefix("assign") })
        for step in scene.plan.steps { scene.carryOut(step.step) }
        #expect(serving(scene) == "hello-00002")
        #expect(assigned?.revisions.first { $0.key == "default/hello-00002" }?.runnersMin == 2)
    }

    @Test("never more than the maximum is prepared")
    func maximumHolds() {
        var scene = scene(runners: 4)
        scene.edit("hello") { $0.spec.scaling.max = 2 }
        #expect(scene.assignment?.revisions.last?.runnersMin == 2)
    }

    @Test("nothing moves while a node does not answer, and its runners stay in the books")
    func silentNodeHoldsRollouts() {
        var scene = scene(runners: 2)
        scene.silence()
        for step in scene.plan.steps { scene.carryOut(step.step) }
        #expect(serving(scene) == "hello-00001")
        #expect(scene.world.runners.count == 2)
        #expect(scene.world.apps["default/hello"]?.object.status.readyRunners == 2)
    }

    @Test("a failed build changes nothing that serves")
    func failedBuildKeepsServing() {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        scene.app("hello", source: 2)
        scene.revision("hello", 2, .failed, source: 2)
        scene.settle()
        #expect(serving(scene) == "hello-00001")
        let conditions = scene.world.apps["default/hello"]?.object.status.conditions ?? []
        #expect(conditions.condition("Ready")?.status == .isFalse)
        #expect(conditions.holds("Serving"))
    }

    @Test("a rollback holds until a newer revision is ready")
    func rollbackEndsWithANewerRevision() {
        var scene = scene(runners: 0)
        scene.settle()
        scene.edit("hello") {
            $0.metadata.annotations = [
                OwnAnnotation.rollbackTo: "hello-00001", OwnAnnotation.rollbackFrom: "hello-00002",
            ]
        }
        scene.settle()
        #expect(serving(scene) == "hello-00001")
        #expect(scene.world.apps["default/hello"]?.object.status.pinnedRevision == "hello-00001")
        scene.app("hello", source: 3)
        scene.settle()
        #expect(serving(scene) == "hello-00003")
        #expect(scene.world.apps["default/hello"]?.object.metadata.annotations.isEmpty == true)
    }
}
