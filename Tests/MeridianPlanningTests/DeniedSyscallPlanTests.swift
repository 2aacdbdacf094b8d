// DeniedSyscallPlanTests: what is said of a revision whose program made denied syscalls.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Denied syscalls of a revision")
struct DeniedSyscallPlanTests {
    private func served() -> Scene {
        var scene = Scene()
        scene.app("hello")
        scene.settle()
        scene.runners([("hello-00001", 1)])
        scene.settle()
        return scene
    }

    private func revision(_ scene: Scene) throws -> Revision {
        try #require(scene.world.revisions["default/hello-00001"]?.object)
    }

    /// The events of a plan that are about denied syscalls.
    private func events(_ scene: Scene) -> [EventDraft] {
        scene.plan.steps.flatMap { step -> [EventDraft] in
            guard case .write(let write) = step.step else { return [] }
            return write.events.filter { $0.reason == "SyscallDenied" }
        }
    }

    @Test("give the Revision a condition and an event with the line to add, once")
    func told() throws {
        var scene = served()
        scene.denied("hello-00001", ["ptrace"])
        let words = "blocked syscall ptrace: add to the SyscallAllowlist web-default `allow: [ptrace]`"
        #expect(events(scene).map(\.message) == [words])
        #expect(events(scene).map(\.type) == [.warning])
        scene.settle()
        let condition = try #require(try revision(scene).status.conditions.condition("SyscallsDenied"))
        #expect(condition.status == .isTrue)
        #expect(condition.message == words)
        scene.denied("hello-00001", ["ptrace"])
        #expect(scene.plan.steps.isEmpty)
    }

    @Test("are added to those that are known; the event names the new ones")
    func more() throws {
        var scene = served()
        scene.denied("hello-00001", ["ptrace"])
        scene.settle()
        scene.denied("hello-00001", ["keyctl", "ptrace", "socket"])
        #expect(
            events(scene).map(\.message) == [
                "blocked syscall keyctl: add to the SyscallAllowlist web-default `allow: [keyctl]`; "
                    + "blocked syscall socket with arguments that no allowlist permits"
            ]
        )
        scene.settle()
        #expect(try revision(scene).status.deniedSyscalls == ["keyctl", "ptrace", "socket"])
    }

    @Test("stay in the books when a node that starts anew knows none")
    func kept() throws {
        var scene = served()
        scene.denied("hello-00001", ["ptrace"])
        scene.settle()
        scene.runners([("hello-00001", 1)])
        scene.settle()
        #expect(try revision(scene).status.deniedSyscalls == ["ptrace"])
        #expect(try revision(scene).status.conditions.holds("SyscallsDenied"))
    }

    @Test("of a revision that nobody knows change nothing")
    func unknown() {
        var scene = served()
        scene.denied("other-00001", ["ptrace"])
        #expect(scene.plan.steps.isEmpty)
    }

    @Test("that its port check met are said too")
    func checked() throws {
        var scene = Scene()
        scene.app("hello")
        scene.revision("hello", 1, .built)
        var report = PortCheckReport()
        report.passed = true
        report.listening = ["0.0.0.0:1"]
        report.deniedSyscalls = ["ptrace"]
        let key = try revision(scene).key
        scene.world.activities[key] = .ended(.checked(report))
        #expect(events(scene).count == 1)
        for step in scene.plan.steps { scene.carryOut(step.step) }
        #expect(try revision(scene).status.conditions.holds("SyscallsDenied"))
        #expect(try revision(scene).status.conditions.holds("Ready"))
    }
}
