// CleanupTests: what is removed, in which order, and what is never removed.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Removing what is no longer needed")
struct CleanupTests {
    @Test("old revisions go beyond the history, but never one that is in use")
    func historyKeepsWhatIsUsed() {
        var scene = Scene()
        scene.app("hello")
        for number in 1...20 { scene.revision("hello", number, .ready) }
        scene.serving("hello", 2)
        scene.edit("hello") {
            $0.metadata.annotations = [
                OwnAnnotation.rollbackTo: "hello-00002", OwnAnnotation.rollbackFrom: "hello-00020",
            ]
        }
        scene.split("pin", of: "hello", hosts: ["p.localhost"], [SplitBackend(revision: "hello-00003", weight: 100)])
        scene.runners([("hello-00004", 1)])
        scene.settle()
        let left = scene.world.revisions.map(\.object.metadata.name)
        for used in ["hello-00002", "hello-00003", "hello-00004", "hello-00020"] { #expect(left.contains(used)) }
        #expect(!left.contains("hello-00001"))
        #expect(left.count == 14)
    }

    @Test("no revision is removed while a node does not answer")
    func silenceRemovesNothing() {
        var scene = Scene()
        scene.app("hello")
        for number in 1...20 { scene.revision("hello", number, .ready) }
        scene.serving("hello", 20)
        scene.silence()
        #expect(scene.words.allSatisfy { !$0.hasPrefix("delete") })
    }

    @Test("an app goes in order: its routes, its runners, its revisions, itself")
    func deletionOrder() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.edit("hello") { $0.metadata.deletionTimestamp = Scene.start }
        #expect(scene.words == ["assign 0 hosts and 0 revisions to node local"])
        // The node takes the assignment, but its runner still drains.
        for case .assign(let node, let assignment) in scene.plan.steps.map(\.step) {
            scene.world.nodeViews[node]?.assigned = assignment
            scene.world.nodeViews[node]?.assignedInstance = "first"
            scene.world.nodeViews[node]?.report?.assignment = assignment.number
        }
        #expect(scene.words.isEmpty)
        scene.runners([])
        #expect(scene.words.contains("delete Revision/default/hello-00001"))
        #expect(!scene.words.contains("finish the deletion of App/default/hello"))
        for step in scene.plan.steps { scene.carryOut(step.step) }
        #expect(scene.words == ["finish the deletion of App/default/hello"])
        scene.settle()
        #expect(scene.world.apps.count == 0)
    }

    @Test("a node's word that the runners are gone counts only after it has the new assignment")
    func oldReportsDoNotCount() {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        scene.edit("hello") { $0.metadata.deletionTimestamp = Scene.start }
        for case .assign(let node, let assignment) in scene.plan.steps.map(\.step) {
            scene.world.nodeViews[node]?.assigned = assignment
            scene.world.nodeViews[node]?.assignedInstance = "first"
        }
        #expect(scene.words.isEmpty)
    }

    @Test("an app with the finalizer of another stays, and nothing is done over and over")
    func foreignFinalizerWaits() {
        var scene = Scene()
        scene.app("hello") {
            $0.metadata.finalizers = ["example.com/backup"]
            $0.metadata.deletionTimestamp = Scene.start
        }
        let turns = scene.settle()
        #expect(turns != nil)
        #expect(scene.world.apps.count == 1)
        #expect(scene.plan.waiting.contains { $0.text.contains("example.com/backup") })
    }

    @Test("revisions of an app that is gone are removed once nothing of them is served")
    func orphansGo() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        scene.world.apps.remove("default/hello")
        #expect(scene.words == ["assign 0 hosts and 0 revisions to node local"])
        scene.settle()
        #expect(scene.world.revisions.count == 0)
    }

    @Test("an app that cannot be read keeps its revisions, routes and runners")
    func unreadableAppIsKept() {
        var scene = Scene()
        scene.app("hello", min: 1)
        scene.settle()
        let before = scene.assignment
        scene.world.apps.remove("default/hello")
        scene.world.unreadable = [ObjectKey(kind: "App", namespace: "default", name: "hello")]
        let turns = scene.settle()
        #expect(turns != nil)
        #expect(scene.world.revisions.count == 1)
        #expect(scene.assignment?.routes.hosts == before?.routes.hosts)
        #expect(scene.assignment?.revisions == before?.revisions)
        #expect(scene.plan.waiting.contains { $0.text.contains("cannot be read") })
    }

    @Test("an app with a revision that cannot be read is left as it is")
    func unreadableRevisionFreezesItsApp() {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        let before = scene.assignment
        scene.world.revisions.remove("default/hello-00001")
        scene.world.unreadable = [ObjectKey(kind: "Revision", namespace: "default", name: "hello-00001")]
        scene.app("hello", source: 2)
        #expect(scene.words.isEmpty)
        #expect(scene.assignment?.revisions == before?.revisions)
    }

    @Test("a revision whose Secret is deleted goes on serving")
    func deletedSecretKeepsServing() {
        var scene = Scene()
        var secret = Secret()
        secret.metadata = Metadata(name: "db", namespace: "default")
        secret.sealed = ["PASSWORD": "sealed"]
        scene.world.secrets.set(Stored(secret, modRevision: 1))
        scene.app("hello") { $0.spec.secretEnv = ["PASSWORD": SecretReference(secret: "db", key: "PASSWORD")] }
        scene.settle()
        let before = scene.assignment
        #expect(before?.revisions.count == 1)
        scene.world.secrets.remove("default/db")
        let turns = scene.settle()
        #expect(turns != nil)
        #expect(scene.assignment?.revisions == before?.revisions)
        let ready = scene.world.apps["default/hello"]?.object.status.conditions.condition("Ready")
        #expect(ready?.reason == "SecretMissing")
    }

    @Test("a Secret that does not open takes only its own app down")
    func unopenableSecretHarmsOneApp() {
        var scene = Scene()
        var secret = Secret()
        secret.metadata = Metadata(name: "db", namespace: "default")
        secret.sealed = ["PASSWORD": "broken"]
        scene.world.secrets.set(Stored(secret, modRevision: 1))
        scene.app("bad") { $0.spec.secretEnv = ["PASSWORD": SecretReference(secret: "db", key: "PASSWORD")] }
        scene.app("good")
        scene.settle()
        scene.world.unopenable = ["broken"]
        let turns = scene.settle()
        #expect(turns != nil)
        #expect(scene.assignment?.revisions.map(\.app) == ["default/good"])
    }
}
