// TestFakes: the ports of an API under test: time, randomness, sealing.
import Foundation
import MeridianModel
import MeridianPorts
import Synchronization

/// The machine's clock.
struct WallClock: ClockPort {
    var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    func sleep(until deadline: Timestamp) async throws { try await Task.sleep(for: deadline - now) }
}

struct SystemRandom: RandomPort {
    func next() -> UInt64 { UInt64.random(in: 0...UInt64.max) }
}

/// Sealing that can be undone without a key: the plain text backwards, a different text each time.
final class FakeSealing: SealingPort {
    private let count = Mutex(0)

    func seal(_ plain: String, for owner: String) throws(SealingError) -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return "sealed:v1:\(owner):\(number):\(String(plain.reversed()))"
    }

    func open(_ sealed: String, for owner: String) throws(SealingError) -> String {
        let prefix = "sealed:v1:\(owner):"
        guard sealed.hasPrefix(prefix), let text = sealed.dropFirst(prefix.count).split(separator: ":").last else {
            throw SealingError(.corrupted, "not sealed for \(owner)")
        }
        return String(text.reversed())
    }

    func fingerprint(_ sealed: String) -> String {
        let hash = sealed.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return "sealed:\(String(hash, radix: 16))"
    }
}
