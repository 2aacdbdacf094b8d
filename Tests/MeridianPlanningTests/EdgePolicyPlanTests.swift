// EdgePolicyPlanTests: which policy has which hosts.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Policies at the edge")
struct EdgePolicyPlanTests {
    private func scene(_ policies: [(name: String, hosts: [String], age: Int)]) -> Scene {
        var scene = Scene()
        scene.app("hello")
        for policy in policies { scene.world.policies.set(Stored(made(policy), modRevision: 900)) }
        scene.settle()
        return scene
    }

    private func made(_ given: (name: String, hosts: [String], age: Int)) -> EdgePolicy {
        var policy = EdgePolicy(metadata: Metadata(name: given.name), spec: EdgePolicySpec())
        policy.metadata.generation = 1
        policy.metadata.uid = "uid-\(given.name)"
        policy.metadata.creationTimestamp = Scene.start + .seconds(-given.age)
        policy.spec.hosts = given.hosts
        policy.spec.clientRate = RequestRate(given.age + 1)
        return policy
    }

    private func condition(_ name: String, _ scene: Scene) -> Condition? {
        scene.world.policies[name]?.object.status.conditions.condition("Ready")
    }

    @Test("every node gets the policies by name, and their statuses say that they hold")
    func assigned() {
        let scene = scene([("shop", ["shop.test", "b.test"], 1), ("all", [], 2)])
        let policies = scene.assignment?.routes.policies ?? []
        #expect(policies.map(\.name) == ["all", "shop"])
        #expect(policies.last?.rules.hosts == ["shop.test", "b.test"])
        #expect(condition("shop", scene)?.reason == "Applied" && condition("all", scene)?.status == .isTrue)
        #expect(scene.world.policies["shop"]?.object.status.hosts == ["shop.test", "b.test"])
        #expect(scene.plan.steps.isEmpty)
    }

    @Test("of two policies that name a host the older has it, and the younger keeps its others")
    func olderWins() {
        let scene = scene([("a", ["shop.test", "own.test"], 1), ("b", ["shop.test"], 2), ("c", ["shop.test"], 0)])
        let policies = scene.assignment?.routes.policies ?? []
        #expect(policies.map(\.rules.hosts) == [["own.test"], ["shop.test"]])
        #expect(condition("a", scene)?.reason == "HostTaken")
        #expect(
            condition("a", scene)?.message
                == "host shop.test belongs to EdgePolicy b, which is older. Give another host"
        )
        #expect(condition("c", scene)?.reason == "NothingLeft")
    }

    @Test("of two policies without hosts the older holds")
    func oneForAll() {
        let scene = scene([("new", [], 1), ("old", [], 5)])
        #expect(scene.assignment?.routes.policies.map(\.name) == ["old"])
        #expect(condition("new", scene)?.reason == "NothingLeft")
    }

    @Test("a policy that is deleted or changed is news for the node, and the plan says whom it exposes or protects")
    func changes() throws {
        var scene = scene([("shop", ["shop.test"], 1)])
        let before = scene.world
        scene.world.policies.remove("shop")
        #expect(predict(scene.world).summary.contains("expose shop.test (EdgePolicy shop)"))
        scene.settle()
        #expect(scene.assignment?.routes.policies == [])
        var changed = try #require(before.policies["shop"]?.object)
        changed.spec.deny = ["192.0.2.0/24"]
        #expect(predict(before, adding: [changed]).summary.contains("protect shop.test (EdgePolicy shop)"))
    }

    @Test("a policy that this version cannot read goes on to protect its hosts")
    func unreadable() {
        var scene = scene([("shop", ["shop.test"], 1), ("all", [], 2)])
        let policies = scene.assignment?.routes.policies
        for name in ["shop", "all"] {
            scene.world.policies.remove(name)
            scene.world.unreadable.insert(ObjectKey(kind: EdgePolicySpec.kind, name: name))
        }
        scene.app("second")
        scene.settle()
        #expect(policies?.count == 2 && scene.assignment?.routes.policies == policies)
    }
}
