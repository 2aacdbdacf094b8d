// VirtualClock: time that passes only when the simulation says so.
import MeridianModel
import MeridianPorts
import Synchronization

/// A clock that stands still until it is moved.
final class VirtualClock: ClockPort {
    private let time: Mutex<Timestamp>

    /// A clock that shows `start`.
    init(start: Timestamp = Timestamp(milliseconds: 1_800_000_000_000)) { time = Mutex(start) }

    var now: Timestamp { time.withLock { $0 } }

    /// Nothing that the simulation steps may wait on time.
    func sleep(until deadline: Timestamp) async throws { throw CancellationError() }

    /// Moves the clock forward.
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }

    /// Moves the clock forward to `deadline`, if that is later.
    func advance(to deadline: Timestamp) { time.withLock { $0 = max($0, deadline) } }
}
