// TargetMeasures: what an edge has measured of one revision or address since it started.
internal import MeridianModel

/// Sums since the target was first requested; each number is exact, but they are not read at one instant.
package struct TargetMeasures: Sendable, Equatable {
    /// Finished requests by the first digit of their status; index 0: ended by the client before an answer.
    package var answers = [Int](repeating: 0, count: Self.classCount)
    /// Requests that waited for a runner to start.
    package var coldStarts = 0
    /// Requests that failed since the runner did not accept, broke off or answered malformed.
    package var upstreamErrors = 0
    /// Bytes from clients, heads included.
    package var bytesIn = 0
    /// Bytes to clients, heads included.
    package var bytesOut = 0
    /// Copies of other requests that it got as a mirror; they count nowhere else.
    package var mirrored = 0
    /// Copies that it did not answer or answered with 5xx, and those that were dropped before they were sent.
    package var mirrorsFailed = 0
    /// From a request's head to the last byte of its answer; tunnels are left out.
    package var durations = DurationHistogram()

    /// Nothing measured yet.
    package init() {}

    /// No answer, then 1xx to 5xx.
    package static let classCount = 6
}

/// Durations in buckets whose bounds grow by a half octave, so that every quantile is right within 50 %.
package struct DurationHistogram: Sendable, Equatable {
    /// Requests per bucket, the shortest first.
    package var counts = [Int](repeating: 0, count: Self.bucketCount)
    /// The sum of all durations.
    package var microseconds = 0

    /// No durations yet.
    package init() {}

    /// The first bucket ends at 64 µs, below which a request through a socket hardly gets; the last takes the rest.
    package static let bucketCount = 44

    /// The bucket of a duration.
    static func bucket(ofMicroseconds microseconds: Int64) -> Int {
        guard microseconds >= 64 else { return 0 }
        let octave = 63 - microseconds.leadingZeroBitCount
        let half = Int(microseconds >> Int64(octave - 1)) & 1
        return min((octave - 6) * 2 + half + 1, bucketCount - 1)
    }

    /// The least duration, in microseconds, that is beyond bucket `index`; the last bucket has no such bound.
    package static func bound(of index: Int) -> Int {
        let octave = 6 + index / 2
        return index.isMultiple(of: 2) ? 1 << octave : 3 << (octave - 1)
    }

    /// The bound of the bucket in which the given part of the durations, 0 to 1, ends; nil without any.
    package func quantile(_ part: Double) -> Duration? {
        histogramBucket(ending: part, of: counts).map { .microseconds(Self.bound(of: $0)) }
    }
}
