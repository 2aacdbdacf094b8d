// RunningLoopTests: the loop as a running task: it wakes for news, rests otherwise, and ends when told.
import MeridianControl
import MeridianModel
import MeridianPorts
import Testing

@Suite("The running loop")
struct RunningLoopTests {
    /// Waits for a condition that other tasks bring about; a minute is far beyond what a loaded machine needs.
    private func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while clock.now < deadline {
            if try await condition() { return true }
            await Task.yield()
        }
        return false
    }

    private func running(
        _ stage: Stage,
        _ body: @Sendable @escaping (Reconciler) async throws -> Void
    ) async throws {
        let loop = stage.reconciler()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await loop.run()
                } catch is CancellationError {
                    return
                }
            }
            try await body(loop)
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func isServing(_ stage: Stage, _ loop: Reconciler, _ name: String) async throws -> Bool {
        await stage.endWorks(loop)
        return try await stage.read(App.self, name)?.status.conditions.holds("Serving") == true
    }

    @Test("takes in an app that is applied while it runs")
    func wakesForTheStore() async throws {
        let stage = Stage()
        try await running(stage) { loop in
            #expect(try await eventually { stage.node.listeners > 0 })
            try await stage.apply("hello")
            #expect(try await eventually { try await isServing(stage, loop, "hello") })
        }
    }

    @Test("connects again to a node that went away, and says meanwhile that it does not answer")
    func reconnects() async throws {
        let stage = Stage()
        try await running(stage) { loop in
            try await stage.apply("hello")
            #expect(try await eventually { try await isServing(stage, loop, "hello") })
            stage.node.disconnect()
            #expect(
                try await eventually {
                    try await stage.read(Node.self, Stage.nodeName, namespace: "")?.status.conditions.holds("Ready")
                        == false
                }
            )
            #expect(
                try await eventually {
                    stage.clock.advance(by: .milliseconds(100))
                    return try await stage.read(Node.self, Stage.nodeName, namespace: "")?.status.conditions.holds(
                        "Ready"
                    ) == true
                }
            )
        }
    }

    @Test("ends when it is cancelled while it waits")
    func endsWhenCancelled() async throws {
        let stage = Stage()
        try await running(stage) { (_: Reconciler) async throws in
            // Asleep: the loop's deadline and the maintenance tick.
            #expect(try await eventually { stage.clock.sleepers >= 2 })
        }
        #expect(stage.clock.sleepers == 0)
    }
}
