// SystemPorts: the real clock and randomness behind their ports.
import CLinux
import Glibc
package import MeridianModel
import MeridianPorts

/// The machine's clock as it was at start, carried on by the monotonic clock: a step of the wall clock neither ends leases
/// early nor hangs a waiter.
package struct SystemClock: ClockPort {
    private let startedAt = clinux_milliseconds(CLOCK_REALTIME)
    private let startedMonotonic = clinux_milliseconds(CLOCK_MONOTONIC)

    package init() {}

    package var now: Timestamp {
        Timestamp(milliseconds: startedAt + clinux_milliseconds(CLOCK_MONOTONIC) - startedMonotonic)
    }

    package func sleep(until deadline: Timestamp) async throws {
        let remaining = deadline - now
        // A day: longer waits are looked at again by their callers, and the sum with the clock cannot overflow.
        try await Task.sleep(for: max(.zero, min(remaining, .seconds(86_400))))
    }
}

/// The system's random numbers.
package struct SystemRandom: RandomPort {
    package init() {}

    package func next() -> UInt64 { UInt64.random(in: .min ... .max) }
}
