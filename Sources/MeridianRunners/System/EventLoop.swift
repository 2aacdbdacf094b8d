// EventLoop: the one thread that reads what runners say: output, reports, denied syscalls, the zygote's end.
internal import CLinux
internal import Glibc
internal import Synchronization

/// An epoll loop on a thread of its own that lives until `end`.
///
/// Handlers and jobs run on that thread, one after the other, and must not block for long. The zygote is started from it,
/// because a parent-death signal follows the thread that made the process (prctl(2), PR_SET_PDEATHSIG).
final class EventLoop: Sendable {
    /// Names one watched descriptor; never used twice.
    typealias Token = UInt64

    private struct State {
        var watches: [Token: Watch] = [:]
        var jobs: [@Sendable () -> Void] = []
        var delayed: [Delayed] = []
        var nextToken: Token = 1
        var isEnding = false
    }

    private struct Watch {
        let descriptor: Descriptor
        let handler: @Sendable (Token) -> Void
    }

    private struct Delayed {
        /// Of the monotonic clock, in nanoseconds.
        let at: Int64
        let job: @Sendable () -> Void
    }

    /// Tokens taken per wait: enough that a flood of output does not starve the reports behind it.
    private static let tokensPerWaitMax = 64
    /// The token of the event that wakes the loop for jobs.
    private static let wakeToken: Token = 0

    private let poll: Descriptor
    private let wake: Descriptor
    private let state = Mutex(State())

    /// Starts the thread.
    init() throws(SystemError) {
        let poll = clinux_poll_create()
        guard poll >= 0 else { throw SystemError("epoll_create1") }
        self.poll = Descriptor(owning: poll)
        let wake = clinux_event_create()
        guard wake >= 0 else { throw SystemError("eventfd") }
        self.wake = Descriptor(owning: wake)
        guard clinux_poll_add(poll, wake, Self.wakeToken) == 0 else { throw SystemError("epoll_ctl") }
        try startThread { [self] in run() }
    }

    /// Calls `handler` with the watch's token on the loop's thread whenever `descriptor` can be read or has hung up, until `unwatch`.
    func watch(_ descriptor: Descriptor, _ handler: @escaping @Sendable (Token) -> Void) throws(SystemError) -> Token {
        let token = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            state.watches[token] = Watch(descriptor: descriptor, handler: handler)
            return token
        }
        guard clinux_poll_add(poll.raw, descriptor.raw, token) == 0 else {
            let error = SystemError("epoll_ctl")
            state.withLock { _ = $0.watches.removeValue(forKey: token) }
            throw error
        }
        return token
    }

    /// Forgets a watch; a call of its handler may still be under way on the loop's thread.
    func unwatch(_ token: Token) {
        let watch = state.withLock { $0.watches.removeValue(forKey: token) }
        // ENOENT cannot be: the watch owned the descriptor, so it is still open.
        if let watch { _ = clinux_poll_remove(poll.raw, watch.descriptor.raw) }
    }

    /// Runs a job on the loop's thread soon.
    func perform(_ job: @escaping @Sendable () -> Void) {
        state.withLock { $0.jobs.append(job) }
        wakeUp()
    }

    /// Runs a job on the loop's thread when `delay` is over; never where the loop ends before.
    func perform(after delay: Duration, _ job: @escaping @Sendable () -> Void) {
        let at = monotonicNanoseconds() + delay.nanoseconds
        state.withLock { $0.delayed.append(Delayed(at: at, job: job)) }
        wakeUp()
    }

    /// Ends the thread after the handlers under way; watches and jobs are dropped.
    func end() {
        state.withLock { $0.isEnding = true }
        wakeUp()
    }

    private func wakeUp() {
        var one: UInt64 = 1
        // EAGAIN: the counter is at its end, so the loop is awake anyway.
        _ = write(wake.raw, &one, MemoryLayout<UInt64>.size)
    }

    private func run() {
        var tokens = [Token](repeating: 0, count: Self.tokensPerWaitMax)
        while !state.withLock({ $0.isEnding }) {
            let count = clinux_poll_wait(poll.raw, &tokens, Int32(Self.tokensPerWaitMax), millisecondsToNextJob())
            precondition(count >= 0, "epoll_wait fails only for descriptors that are not epoll's")
            for token in tokens.prefix(Int(count)) {
                if token == Self.wakeToken {
                    runJobs()
                } else {
                    state.withLock { $0.watches[token]?.handler }?(token)
                }
            }
            runDueJobs()
        }
        state.withLock { state in
            state.watches.removeAll()
            state.delayed.removeAll()
        }
    }

    /// How long to wait for descriptors: -1 without a limit, rounded up so that the job is due afterwards.
    private func millisecondsToNextJob() -> Int32 {
        guard let next = state.withLock({ $0.delayed.map(\.at).min() }) else { return -1 }
        return Int32(clamping: max(0, next - monotonicNanoseconds() + 999_999) / 1_000_000)
    }

    private func runDueJobs() {
        let now = monotonicNanoseconds()
        let due = state.withLock { state in
            let due = state.delayed.filter { $0.at <= now }
            if !due.isEmpty { state.delayed.removeAll { $0.at <= now } }
            return due
        }
        for delayed in due { delayed.job() }
    }

    private func runJobs() {
        var counter: UInt64 = 0
        // EAGAIN: an earlier round took the jobs already.
        _ = read(wake.raw, &counter, MemoryLayout<UInt64>.size)
        let jobs = state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in jobs { job() }
    }
}
