// TurnTable: when each client's and each host's next request has its turn, shared by all loops.
internal import CLinux
internal import Glibc
internal import MeridianRouting

/// A fixed table of virtual schedules by key: a rate is kept without a lock, a timer or an allocation.
///
/// A key has one of the four places of its cache line. Where all are taken the one whose turn was the longest ago goes,
/// which is that of somebody who may ask again anyway, unless more clients than there are places ask at once. Two loops
/// that meet a new key at one moment may each grant it a first request.
///
/// `@unchecked Sendable`: the words are only touched through the atomic functions of CLinux.
final class TurnTable: @unchecked Sendable {
    /// 65,536 places in 1 MB, of which untouched pages cost nothing.
    private static let lineCount = 1 << 14
    private static let placesPerLine = 4
    private static let wordsPerPlace = 2
    /// Attempts against other loops that take turns of the same key at the same moment.
    private static let attemptsMax = 8

    /// Lines of four places, each a key and the time of the next turn in nanoseconds.
    private let words: UnsafeMutablePointer<Int64>

    init() {
        let count = Self.lineCount * Self.placesPerLine * Self.wordsPerPlace
        guard let memory = calloc(count, MemoryLayout<Int64>.stride) else {
            preconditionFailure("no memory for a table of 1 MB")
        }
        words = memory.assumingMemoryBound(to: Int64.self)
    }

    deinit { free(words) }

    /// Takes the next turn of `key` at the time `now` in nanoseconds; 0, or how long to wait for it where it is beyond
    /// the slack, in which case nothing is taken.
    func takeTurn(of key: Int, _ pace: RequestPace, now: Int64) -> Int64 {
        // 0 is the key of a free place.
        let key = Int64(key | 1)
        let turn = place(of: key) + 1
        for _ in 0..<Self.attemptsMax {
            let next = clinux_atomic_load(turn)
            let begin = max(next, now)
            if begin - now > pace.slack { return begin - now - pace.slack }
            if clinux_atomic_exchange(turn, next, begin + pace.interval) != 0 { return 0 }
        }
        // So many others took turns of the key meanwhile that one more makes no difference.
        return 0
    }

    /// The place that holds `key` or is given to it.
    private func place(of key: Int64) -> UnsafeMutablePointer<Int64> {
        let line = Int(truncatingIfNeeded: key >> 1) & (Self.lineCount - 1)
        let first = words + line * Self.placesPerLine * Self.wordsPerPlace
        var oldest = first
        for index in 0..<Self.placesPerLine {
            let place = first + index * Self.wordsPerPlace
            if clinux_atomic_relaxed_load(place) == key { return place }
            if clinux_atomic_relaxed_load(place + 1) < clinux_atomic_relaxed_load(oldest + 1) { oldest = place }
        }
        clinux_atomic_store(oldest, key)
        clinux_atomic_store(oldest + 1, 0)
        return oldest
    }
}
