// EffectGate: where effects of the control plane are counted, and where it dies.
import Synchronization

/// Every effect of the simulated control plane passes here; after one of them it can die.
///
/// A dead control plane does nothing more: all its ports refuse until the next one is born.
final class EffectGate: Sendable {
    private struct State {
        var effects = 0
        var dieAfter: Int?
        var isDead = false
    }

    private let state: Mutex<State>

    /// - Parameter dieAfter: the number of the effect after which the control plane dies once; nil: it does not.
    init(dieAfter: Int?) { state = Mutex(State(dieAfter: dieAfter)) }

    var isDead: Bool { state.withLock { $0.isDead } }

    /// How many effects there were.
    var effects: Int { state.withLock { $0.effects } }

    /// Counts an effect; answers whether the control plane died of it and gets no answer.
    func passed() -> Bool {
        state.withLock { state in
            state.effects += 1
            guard state.effects == state.dieAfter else { return false }
            state.isDead = true
            return true
        }
    }

    /// Lets the control plane die after `count` more effects.
    func die(afterMore count: Int) { state.withLock { $0.dieAfter = $0.effects + max(1, count) } }

    /// Nothing kills the control plane any more.
    func stopDying() { state.withLock { $0.dieAfter = nil } }

    /// The next control plane is born.
    func revive() { state.withLock { $0.isDead = false } }
}
