// Turns: lets a fixed number of builds run at a time, first come, first served.
internal import Synchronization

/// A queue for turns; waiting can be cancelled.
final class Turns: Sendable {
    /// Why no turn was given.
    enum Refusal: Error { case cancelled, full }

    private struct State {
        var free: Int
        var nextTicket = 0
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Result<Void, Refusal>, Never>)] = []
    }

    private let state: Mutex<State>
    private let waitingMax: Int

    init(concurrent: Int, waitingMax: Int) {
        state = Mutex(State(free: concurrent))
        self.waitingMax = waitingMax
    }

    /// How many wait now.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Waits for a turn; the caller gives it back with `give`.
    func take() async throws(Refusal) {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let result: Result<Void, Refusal> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Result<Void, Refusal>? = state.withLock { state in
                    // A cancellation after this line finds the ticket in the queue.
                    if Task.isCancelled { return .failure(.cancelled) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    guard state.waiting.count < waitingMax else { return .failure(.full) }
                    state.waiting.append((ticket, continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let left = state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0).continuation }
            }
            left?.resume(returning: .failure(.cancelled))
        }
        try result.get()
    }

    /// Gives a turn back; the one who waits longest has it next.
    func give() {
        let next = state.withLock { state in
            guard state.waiting.isEmpty else { return Optional(state.waiting.removeFirst().continuation) }
            state.free += 1
            return nil
        }
        next?.resume(returning: .success(()))
    }
}
