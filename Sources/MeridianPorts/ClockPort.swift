// ClockPort: time and randomness, so that a simulation can own both.
package import MeridianModel

/// The wall clock, and waiting on it.
package protocol ClockPort: Sendable {
    var now: Timestamp { get }

    /// Returns at or after `deadline`, or throws `CancellationError`.
    func sleep(until deadline: Timestamp) async throws
}

/// A source of random numbers.
package protocol RandomPort: Sendable {
    /// A uniformly distributed number.
    func next() -> UInt64
}
