// SystemPorts: the real clock, randomness and sealing key behind their ports.
import CLinux
import Glibc
import MeridianContent
package import MeridianModel
package import MeridianPorts

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

/// Seals with the key in the data directory.
package struct KeySealing: SealingPort {
    private let sealing: Sealing

    /// Opens or creates the key file.
    package init(_ directory: DataDirectory) throws(ControlPlaneError) {
        do throws(ContentError) {
            try DurableFile.createDirectory(directory.keys, mode: 0o700)
            sealing = try Sealing(keyFile: directory.sealingKey)
        } catch {
            throw ControlPlaneError("the sealing key: \(error)")
        }
    }

    /// Opens a key file that is there.
    init(keyFile: String) throws(ControlPlaneError) {
        do throws(ContentError) {
            sealing = try Sealing(keyFile: keyFile)
        } catch {
            throw ControlPlaneError("the sealing key: \(error)")
        }
    }

    package func seal(_ plain: String, for owner: String) throws(SealingError) -> String {
        do throws(ContentError) {
            return try sealing.seal(Array(plain.utf8), for: owner)
        } catch {
            throw sealingError(error)
        }
    }

    package func open(_ sealed: String, for owner: String) throws(SealingError) -> String {
        do throws(ContentError) {
            return String(decoding: try sealing.open(sealed, for: owner), as: UTF8.self)
        } catch {
            throw sealingError(error)
        }
    }

    package func fingerprint(_ sealed: String) -> String {
        "sealed:\(Digest.of(Array(sealed.utf8)).short)"
    }

    private func sealingError(_ error: ContentError) -> SealingError {
        switch error.code {
        case .corrupted: SealingError(.corrupted, "\(error)")
        case .refused: SealingError(.refused, "\(error)")
        default: SealingError(.unavailable, "\(error)")
        }
    }
}
