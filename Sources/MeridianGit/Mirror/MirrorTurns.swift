// MirrorTurns: one user of a mirror at a time, and few git programs at once.

/// Lets work on the same mirror wait for each other, and bounds how much goes on together.
actor MirrorTurns {
    /// Reading repositories is network and disk; four keep two processors busy beside everything else.
    static let concurrentMax = 4

    private var busy: Set<String> = []
    private var running = 0
    private var waiting: [(mirror: String, continuation: CheckedContinuation<Void, Never>)] = []

    /// Runs `body` when no other work on `mirror` goes on.
    ///
    /// Cancelled work gets its turn too, and ends at once by itself.
    func run<Value: Sendable>(
        on mirror: String,
        _ body: @Sendable () async throws(any Error) -> Value
    ) async rethrows -> Value {
        if busy.contains(mirror) || running >= Self.concurrentMax {
            await withCheckedContinuation { waiting.append((mirror, $0)) }
        } else {
            take(mirror)
        }
        defer { leave(mirror) }
        return try await body()
    }

    private func take(_ mirror: String) {
        busy.insert(mirror)
        running += 1
    }

    /// Gives the turn to the first who can use it; what it takes is taken here, before it resumes.
    private func leave(_ mirror: String) {
        busy.remove(mirror)
        running -= 1
        guard let next = waiting.firstIndex(where: { !busy.contains($0.mirror) }) else { return }
        let turn = waiting.remove(at: next)
        take(turn.mirror)
        turn.continuation.resume()
    }
}
