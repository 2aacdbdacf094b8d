// SharedCells: counters that all loops and the node read, one cache line each, changed with atomics only.
internal import CLinux

/// Eight words on a cache line of their own; freed with the object.
///
/// `@unchecked Sendable`: the words are only touched through the atomic functions of CLinux.
final class CounterLine: @unchecked Sendable {
    /// 64 bytes, so that two lines never share a cache line.
    private static let wordCount = 8

    let words: UnsafeMutablePointer<Int64>

    init() {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: Self.wordCount * 8, alignment: Self.wordCount * 8)
        words = raw.initializeMemory(as: Int64.self, repeating: 0, count: Self.wordCount)
    }

    deinit { words.deallocate() }
}

/// The counters of one runner.
///
/// The pointer is valid while its `RunnerRecord` lives.
struct RunnerCounters {
    let words: UnsafeMutablePointer<Int64>

    var inFlight: Int64 { clinux_atomic_load(words) }
    var requests: Int64 { clinux_atomic_relaxed_load(words + 1) }
    var lastActivity: Int64 { clinux_atomic_relaxed_load(words + 2) }

    /// Takes a place on the runner where fewer than `limit` are taken; the one way to begin a request on a runner.
    func acquire(limit: Int64, now: Int64) -> Bool {
        guard clinux_atomic_increment_below(words, limit) != 0 else { return false }
        _ = clinux_atomic_relaxed_add(words + 1, 1)
        clinux_atomic_relaxed_store(words + 2, now)
        return true
    }

    /// Whether the runner gets no requests for now; read on every pick.
    @inline(__always)
    func isEjected(now: Int64) -> Bool { clinux_atomic_relaxed_load(words + 4) > now }

    /// Counts a failure; whether the runner is ejected by it, for longer each time.
    ///
    /// Failures of requests that were under way when it was ejected do not count again.
    func noteFailure(_ limits: EdgeLimits, now: Int64) -> Bool {
        guard !isEjected(now: now), clinux_atomic_relaxed_add(words + 3, 1) >= limits.ejectionFailures else {
            return false
        }
        clinux_atomic_relaxed_store(words + 3, 0)
        let times = clinux_atomic_relaxed_add(words + 5, 1)
        let length = limits.ejectionMilliseconds << min(times - 1, 16)
        clinux_atomic_relaxed_store(words + 4, now + min(length, limits.ejectionMillisecondsMax))
        return true
    }

    /// The runner has answered: its failures are not in a row any more, and after a good while none is held against it.
    @inline(__always)
    func noteAnswer(_ limits: EdgeLimits, now: Int64) {
        if clinux_atomic_relaxed_load(words + 3) != 0 { clinux_atomic_relaxed_store(words + 3, 0) }
        guard clinux_atomic_relaxed_load(words + 5) != 0 else { return }
        let end = clinux_atomic_relaxed_load(words + 4)
        if now > end + limits.ejectionMillisecondsMax { clinux_atomic_relaxed_store(words + 5, 0) }
    }

    /// Gives a place back.
    func release(now: Int64) {
        clinux_atomic_relaxed_store(words + 2, now)
        let left = clinux_atomic_add(words, -1)
        precondition(left >= 0, "a place on a runner was given back twice")
    }
}

/// The counters of one revision or address.
///
/// The pointer is valid while its `TargetRecord` lives.
struct TargetCounters {
    let words: UnsafeMutablePointer<Int64>

    var parked: Int64 { clinux_atomic_load(words) }
    var parkedBytes: Int64 { clinux_atomic_relaxed_load(words + 1) }
    var requests: Int64 { clinux_atomic_relaxed_load(words + 2) }
    /// Requests that refer to the target at this moment.
    var open: Int64 { clinux_atomic_load(words + 3) }

    /// Books a waiting request where both bounds allow it.
    func park(bytes: Int64, requestsMax: Int64, bytesMax: Int64) -> Bool {
        guard clinux_atomic_relaxed_add(words + 1, bytes) <= bytesMax,
            clinux_atomic_increment_below(words, requestsMax) != 0
        else {
            _ = clinux_atomic_relaxed_add(words + 1, -bytes)
            return false
        }
        return true
    }

    func unpark(bytes: Int64) {
        _ = clinux_atomic_relaxed_add(words + 1, -bytes)
        _ = clinux_atomic_add(words, -1)
    }

    func begin() {
        _ = clinux_atomic_relaxed_add(words + 2, 1)
        _ = clinux_atomic_add(words + 3, 1)
    }

    func end() { _ = clinux_atomic_add(words + 3, -1) }

    /// Whether a demand is due; at most one caller of an interval gets true.
    func takeDemand(now: Int64, interval: Int64) -> Bool {
        let due = clinux_atomic_load(words + 4)
        return now >= due && clinux_atomic_exchange(words + 4, due, now + interval) != 0
    }

    /// The next want of a runner is told at once.
    func resetDemand() { clinux_atomic_store(words + 4, 0) }
}
