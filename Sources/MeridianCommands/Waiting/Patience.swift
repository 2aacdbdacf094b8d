// Patience: a bounded wait for a condition that the server brings about.

/// Asks again and again until a condition holds or time is up; the time runs from the value's creation.
struct Patience {
    /// A drain takes 30 s, and the loop some more.
    static let secondsMax = 60

    /// Short against what a person notices, long against a request on the loopback.
    private static let interval = Duration.milliseconds(50)

    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let seconds: Int

    init(seconds: Int) {
        self.seconds = seconds
        start = clock.now
    }

    /// How long ago the wait began.
    var elapsed: Duration { start.duration(to: clock.now) }

    /// Returns when `holds` is true; throws "not so after N s" with the next step when time is up before.
    func until(_ goal: String, _ nextStep: String, _ holds: () async throws -> Bool) async throws {
        while try await !holds() {
            guard elapsed < .seconds(seconds) else {
                throw CommandFailure("waited \(seconds)s until \(goal)", "it is not so yet", next: nextStep)
            }
            try await clock.sleep(for: Self.interval)
        }
    }
}
