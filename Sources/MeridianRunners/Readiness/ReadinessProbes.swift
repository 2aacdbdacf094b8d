// ReadinessProbes: the thread that waits for new runners to answer, asking each every 100 µs at first.
internal import CLinux
internal import Glibc
internal import Synchronization

/// Waits for runners inside their network namespaces, all on one thread.
final class ReadinessProbes: Sendable {
    private struct State {
        var arrived: [Probe] = []
        var isEnding = false
    }

    private let wake: Descriptor
    private let ownNetwork: Descriptor
    private let state = Mutex(State())

    /// Starts the thread.
    init() throws(SystemError) {
        let wake = clinux_event_create()
        guard wake >= 0 else { throw SystemError("eventfd") }
        self.wake = Descriptor(owning: wake)
        ownNetwork = try Descriptor.open("/proc/self/ns/net", O_RDONLY)
        try startThread { [self] in run() }
    }

    /// Waits until the program behind `port` accepts a connection (and its health path answers 2xx or 3xx).
    func wait(
        network: Descriptor,
        port: UInt16,
        healthPath: String?,
        timeout: Duration,
        hasEnded: @escaping @Sendable () -> Bool
    ) async -> ProbeOutcome {
        let outcome = Promise<ProbeOutcome>()
        let now = monotonicNanoseconds()
        let probe = Probe(
            network: network,
            port: port,
            healthPath: healthPath,
            now: now,
            deadline: now + timeout.nanoseconds,
            hasEnded: hasEnded,
            outcome: outcome
        )
        state.withLock { $0.arrived.append(probe) }
        wakeUp()
        return await outcome.value
    }

    /// Ends the thread; probes under way are given up as ended.
    func end() {
        state.withLock { $0.isEnding = true }
        wakeUp()
    }

    private func wakeUp() {
        var one: UInt64 = 1
        // EAGAIN: the counter is at its end, so the thread is awake anyway.
        _ = write(wake.raw, &one, MemoryLayout<UInt64>.size)
    }

    private func run() {
        // Not sharpened, a look every 100 µs would be one every 150.
        _ = clinux_sharpen_timers()
        var probes: [Probe] = []
        while true {
            let ends = state.withLock { state in
                probes += state.arrived
                state.arrived = []
                return state.isEnding
            }
            if ends { break }
            let now = monotonicNanoseconds()
            var waiting: [Probe] = []
            for var probe in probes where probe.nextAt > now || !probe.step(now: now, ownNetwork: ownNetwork) {
                waiting.append(probe)
            }
            probes = waiting
            rest(until: probes.map(\.nextAt).min())
        }
        for probe in probes { probe.outcome.fulfil(.ended) }
    }

    private func rest(until time: Int64?) {
        let pause = time.map { max(0, $0 - monotonicNanoseconds()) } ?? -1
        guard clinux_wait_readable(wake.raw, pause) > 0 else { return }
        var counter: UInt64 = 0
        // EAGAIN cannot be: the event was readable and this thread is its only reader.
        _ = read(wake.raw, &counter, MemoryLayout<UInt64>.size)
    }
}

/// The monotonic clock.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds, at most some 292 years of them.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) / 2 : whole + attoseconds / 1_000_000_000
    }
}
