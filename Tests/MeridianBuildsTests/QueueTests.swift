// QueueTests: turns are given in order, equal builds are shared, cancelling disturbs nobody else.
internal import MeridianModel
internal import MeridianPorts
internal import Testing

@testable internal import MeridianBuilds

@Suite("The queue of builds")
struct QueueTests {
    @Test("turns are given first come, first served")
    func order() async throws {
        let turns = Turns(concurrent: 1, waitingMax: 10)
        let order = Seen()
        try await turns.take()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<5 {
                group.addTask {
                    try? await turns.take()
                    order.add(.output(.build, "\(number)"))
                    turns.give()
                }
                await until { turns.waitingCount == number + 1 }
            }
            turns.give()
        }
        #expect(order.output == ["0", "1", "2", "3", "4"])
    }

    @Test("a full queue refuses, and a cancelled one leaves the queue")
    func refusals() async throws {
        let turns = Turns(concurrent: 1, waitingMax: 1)
        try await turns.take()
        let waiting = Task { try await turns.take() }
        await until { turns.waitingCount == 1 }
        await #expect(throws: Turns.Refusal.full) { try await turns.take() }
        waiting.cancel()
        await #expect(throws: Turns.Refusal.cancelled) { try await waiting.value }
        #expect(turns.waitingCount == 0)
        turns.give()
        try await turns.take()
    }

    @Test("equal requests share one build, and one that leaves does not end it")
    func sharing() async throws {
        let shared = SharedBuilds()
        let started = Seen()
        let gate = Turns(concurrent: 1, waitingMax: 10)
        try await gate.take()
        let body: @Sendable (@escaping SharedBuilds.Report) async -> SharedBuilds.Ended = { _ in
            started.add(.stageStarted(.build))
            guard (try? await gate.take()) != nil else { return .failure(.cancelled(.build)) }
            return .success(outcome)
        }
        let first = Task { try await shared.join(key("a"), report: { _ in }, body) }
        await until { gate.waitingCount == 1 }
        let second = Task { try await shared.join(key("a"), report: { _ in }, body) }
        await until { shared.waiterCount == 2 }
        first.cancel()
        await #expect(throws: BuildError.self) { try await first.value }
        gate.give()
        #expect(try await second.value == outcome)
        #expect(started.all.count == 1)
    }

    @Test("when the last one leaves, the build is cancelled")
    func abandonment() async throws {
        let shared = SharedBuilds()
        let gate = Turns(concurrent: 0, waitingMax: 10)
        let task = Task {
            try await shared.join(key("a"), report: { _ in }) { _ in
                guard (try? await gate.take()) != nil else { return .failure(.cancelled(.build)) }
                return .success(outcome)
            }
        }
        await until { gate.waitingCount == 1 }
        task.cancel()
        let error = await #expect(throws: BuildError.self) { try await task.value }
        #expect(error?.stage == .build)
        #expect(gate.waitingCount == 0)
    }

    private let outcome = BuildOutcome(
        bundle: .zero,
        executable: "x",
        arguments: [],
        preset: .c,
        cached: false,
        stages: []
    )

    private func key(_ source: String) -> SharedBuilds.Key {
        SharedBuilds.Key(source: source, settings: "{}", namespace: "default", useCache: true)
    }
}

/// Waits until `condition` holds, a few seconds at most; the expectation after it fails where it never does.
func until(seconds: Int = 20, _ condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition(), ContinuousClock.now < deadline { await Task.yield() }
}
