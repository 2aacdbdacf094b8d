// SupplyLoad: what scaling looks at: waiting requests of revisions and requests in flight on runners.

/// The edge's load at one moment, with only what scaling decides by.
package struct SupplyLoad: Sendable, Equatable {
    /// The load of one runner.
    package struct Runner: Sendable, Equatable {
        /// Requests and tunnels that have picked the runner and are not over.
        package var inFlight: Int
        /// How long no request has begun or ended on it; nil: it never had one.
        package var quietFor: Duration?

        package init(inFlight: Int, quietFor: Duration? = nil) {
            self.inFlight = inFlight
            self.quietFor = quietFor
        }
    }

    /// Requests that wait for a runner, by revision key; revisions without any may be missing.
    package var parked: [String: Int]
    /// By runner id; a runner without requests may be missing.
    package var runners: [String: Runner]

    package init(parked: [String: Int] = [:], runners: [String: Runner] = [:]) {
        self.parked = parked
        self.runners = runners
    }

    /// The requests in flight on one runner.
    func inFlight(_ id: String) -> Int { runners[id]?.inFlight ?? 0 }
}

/// The latest measurements of one revision's concurrency.
struct LoadWindow: Sendable {
    private struct Sample {
        var at: ContinuousClock.Instant
        var concurrency: Int
    }

    /// Long enough to bridge the gaps of a bursty client; also the most that is remembered.
    static let peakSpan: Duration = .seconds(10)
    /// A burst shorter than this is served by the runners that are there.
    static let meanSpan: Duration = .seconds(1)
    /// Measurements closer together than this are one, so that a window has at most 200 entries.
    static let sampleSpan: Duration = .milliseconds(50)

    private var samples: [Sample] = []
    /// The mean concurrency of the last `meanSpan` before the latest measurement, rounded up.
    private(set) var mean = 0
    /// The highest concurrency of the last `peakSpan`.
    private(set) var peak = 0

    /// Adds a measurement and forgets those older than `peakSpan`.
    mutating func record(_ concurrency: Int, at now: ContinuousClock.Instant) {
        let outdated = samples.prefix { now - $0.at > Self.peakSpan }.count
        samples.removeFirst(outdated)
        if let last = samples.indices.last, now - samples[last].at < Self.sampleSpan {
            samples[last].concurrency = max(samples[last].concurrency, concurrency)
        } else {
            samples.append(Sample(at: now, concurrency: concurrency))
        }
        var recent = 0
        var sum = 0
        for sample in samples.reversed() {
            guard now - sample.at <= Self.meanSpan else { break }
            recent += 1
            sum += sample.concurrency
        }
        mean = recent == 0 ? 0 : (sum + recent - 1) / recent
        peak = samples.reduce(0) { max($0, $1.concurrency) }
    }
}
