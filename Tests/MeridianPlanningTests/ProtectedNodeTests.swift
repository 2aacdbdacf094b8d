// ProtectedNodeTests: what the Node says of its protections.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("The protections of a node")
struct ProtectedNodeTests {
    private func condition(_ protections: [String: String]) throws -> Condition {
        var scene = Scene()
        scene.world.nodeViews[Scene.node]?.report?.protections = protections
        for step in scene.plan.steps { if case .write = step.step { scene.carryOut(step.step) } }
        let node = try #require(scene.world.nodes[Scene.node]?.object)
        #expect(node.status.protections == protections)
        return try #require(node.status.conditions.condition("Protected"))
    }

    @Test("one that is not in force is named", arguments: ["none: no controller", "missing pids", "OFF: not root"])
    func absent(words: String) throws {
        let condition = try condition(["cgroup": words, "seccomp": "allowlist filter"])
        #expect(condition.status == .isFalse)
        #expect(condition.message == "cgroup: \(words)")
    }

    @Test("a filter that cannot tell what it denies still denies it")
    func untold() throws {
        let condition = try condition(["seccomp": "allowlist filter; denied syscalls are NOT told (no place)"])
        #expect(condition.status == .isTrue)
    }
}
