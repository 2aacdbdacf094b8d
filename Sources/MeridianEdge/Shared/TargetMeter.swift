// TargetMeter: the cells in which one loop counts one target's requests; any thread may read them.
internal import CLinux

/// One loop's counters of one target.
///
/// `@unchecked Sendable`: one loop writes the words, others read them, both through relaxed atomics. A loop adds by a
/// load and a store, which needs no locked instruction since nobody else writes.
final class TargetMeter: @unchecked Sendable {
    static let coldStarts = TargetMeasures.classCount
    static let upstreamErrors = coldStarts + 1
    static let bytesIn = coldStarts + 2
    static let bytesOut = coldStarts + 3
    static let microseconds = coldStarts + 4
    static let mirrored = coldStarts + 5
    static let mirrorsFailed = coldStarts + 6
    static let firstBucket = coldStarts + 7
    private static let wordCount = firstBucket + DurationHistogram.bucketCount

    /// Valid while this object lives.
    let words: UnsafeMutablePointer<Int64>

    init() {
        words = .allocate(capacity: Self.wordCount)
        words.initialize(repeating: 0, count: Self.wordCount)
    }

    deinit { words.deallocate() }

    /// Adds what was counted to `measures`.
    func add(to measures: inout TargetMeasures) {
        for index in 0..<TargetMeasures.classCount { measures.answers[index] += value(index) }
        measures.coldStarts += value(Self.coldStarts)
        measures.upstreamErrors += value(Self.upstreamErrors)
        measures.bytesIn += value(Self.bytesIn)
        measures.bytesOut += value(Self.bytesOut)
        measures.mirrored += value(Self.mirrored)
        measures.mirrorsFailed += value(Self.mirrorsFailed)
        measures.durations.microseconds += value(Self.microseconds)
        for index in 0..<DurationHistogram.bucketCount {
            measures.durations.counts[index] += value(Self.firstBucket + index)
        }
    }

    private func value(_ word: Int) -> Int { Int(clinux_atomic_relaxed_load(words + word)) }
}

/// The writing side of a `TargetMeter`; the loop that owns it keeps the meter's record.
struct MeterWriter {
    let words: UnsafeMutablePointer<Int64>

    @inline(__always)
    func add(_ word: Int, _ amount: Int64) {
        clinux_atomic_relaxed_store(words + word, clinux_atomic_relaxed_load(words + word) &+ amount)
    }

    /// Counts a finished request.
    func finish(class answer: Int, microseconds: Int64) {
        add(answer, 1)
        // 101 begins a tunnel, whose length says nothing about the app.
        guard answer != 1 else { return }
        add(TargetMeter.microseconds, microseconds)
        add(TargetMeter.firstBucket + DurationHistogram.bucket(ofMicroseconds: microseconds), 1)
    }
}
