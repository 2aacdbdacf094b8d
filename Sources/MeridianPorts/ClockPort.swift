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

extension RandomPort {
    /// A version-4 UUID (RFC 9562 §5.4).
    package func uuid() -> String { uuidText(next(), next()) }
}

/// The version-4 UUID of 128 random bits, of which it replaces six.
package func uuidText(_ high: UInt64, _ low: UInt64) -> String {
    let high = (high & ~0xF000) | 0x4000
    let low = (low & ~(0b11 << 62)) | (0b10 << 62)
    let digits = Array((hex(high) + hex(low)).utf8)
    let parts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
    return parts.map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
}

private func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
