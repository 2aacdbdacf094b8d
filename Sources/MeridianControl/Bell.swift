// Bell: wakes the loop; rings that come while nobody waits are kept as one.
import MeridianModel
import MeridianPorts
import Synchronization

/// One sleeper and any number of ringers.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Wakes the sleeper, or lets the next wait return at once.
    func ring() {
        let sleeper = state.withLock { state in
            let sleeper = state.sleeper
            state.sleeper = nil
            state.isRung = sleeper == nil
            return sleeper
        }
        sleeper?.resume()
    }

    /// Returns when the bell rings or at the deadline; throws when the task is cancelled.
    func wait(until deadline: Timestamp, clock: any ClockPort) async throws {
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await clock.sleep(until: deadline)
                self.ring()
            }
            await withTaskCancellationHandler {
                await sleep()
            } onCancel: {
                ring()
            }
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    private func sleep() async {
        await withCheckedContinuation { continuation in
            let isRung = state.withLock { state in
                if state.isRung {
                    state.isRung = false
                    return true
                }
                state.sleeper = continuation
                return false
            }
            if isRung { continuation.resume() }
        }
    }
}
