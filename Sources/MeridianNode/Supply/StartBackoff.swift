// StartBackoff: how long a revision waits before it starts a runner again after a failure.
internal import MeridianModel

/// The failures of one revision's runners since the last one that lived.
struct StartBackoff: Sendable {
    /// A crash at once is tried again soon: it may have been the machine.
    static let delayMin: Duration = .seconds(1)
    /// A program that does not start costs at most a start a minute.
    static let delayMax: Duration = .seconds(60)
    /// A runner that was ready for this long shows that the revision works.
    static let provenAfter: Duration = .seconds(60)

    private(set) var failures = 0
    private(set) var message = ""
    private var failedAt: ContinuousClock.Instant?
    private(set) var retryAt: ContinuousClock.Instant?

    /// Whether a start has to wait.
    func isWaiting(at now: ContinuousClock.Instant) -> Bool { retryAt.map { now < $0 } ?? false }

    /// Notes a failed start or a crash of a runner that was started at `startedAt`.
    ///
    /// Runners that were started before the last failure share its cause, so they do not lengthen the wait.
    mutating func failed(_ message: String, startedAt: ContinuousClock.Instant, at now: ContinuousClock.Instant) {
        self.message = message
        failures += 1
        if let failedAt, startedAt <= failedAt { return }
        rounds += 1
        failedAt = now
        retryAt = now + min(Self.delayMax, Self.delayMin * (1 << min(rounds - 1, Self.doublingsMax)))
    }

    /// What the report says; nil without a failure.
    func trouble(_ revision: String, _ clock: ReportClock) -> RevisionTrouble? {
        guard let retryAt else { return nil }
        var trouble = RevisionTrouble()
        trouble.revision = revision
        trouble.failures = failures
        trouble.message = message
        trouble.retryAt = clock.timestamp(retryAt)
        return trouble
    }

    private var rounds = 0

    /// 2⁶ s is beyond `delayMax`, so that shifting further gains nothing.
    private static let doublingsMax = 6
}
