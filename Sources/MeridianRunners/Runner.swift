// Runner: one sandboxed process from its request to its end, as the event loop sees it.
internal import CLinux
internal import CZygote
internal import Glibc
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// What a runner is known by once its program was executed.
struct StartedRunner: Sendable {
    let pid: Int32
    let network: Descriptor
}

/// How a runner's program ended.
struct RunnerEnd: Sendable {
    let cause: RunnerExitCause
    let message: String
}

/// A runner of ours.
///
/// Its handlers run on the event loop's thread.
final class Runner: Sendable {
    private struct State {
        var pid: Int32 = 0
        var pidfd: Descriptor?
        var network: Descriptor?
        var failure: (step: Int32, error: Int32)?
        /// The wait status that init reported for the program.
        var programStatus: Int32?
        var isStopping = false
        /// A signal that was wanted before the process was known; SIGKILL outdoes SIGTERM.
        var signalWanted: Int32?
        /// The denied syscall for which the runner is being killed, and the listener, which keeps the call waiting.
        var fatal: (syscall: String, listener: Descriptor)?
        var tokens: [EventLoop.Token] = []
        var outputs: [(Descriptor, LogStream)] = []
        /// Set while the end of an orphan is waited for.
        var waitsForOrphan = false
        /// The end is told once, whichever of several signs of it comes first.
        var isOver = false
    }

    /// Bytes taken from a pipe per wake-up: a pipe's whole default capacity.
    private static let readBytesMax = 65_536
    /// Rounds of reading after the end: what a pipe of any size can still hold.
    private static let drainRoundsMax = 64

    let id: String
    /// `namespace/name`.
    let revision: String
    let slot: Int
    let port: UInt16
    let template: RunnerTemplate
    let log: RunnerLog
    let denied = DeniedSyscalls()
    let started = Promise<Result<StartedRunner, RunnerError>>()
    let ended = Promise<RunnerEnd>()
    /// What a denied syscall meets; `.report` is a port check's, whose end is part of its answer and not announced.
    let denial: SyscallFilter.Denial
    let cgroup: RunnerCgroup?
    private let loop: EventLoop
    private let onEnd: @Sendable (Runner, RunnerEnd, _ isSpontaneous: Bool) -> Void
    private let state = Mutex(State())

    /// `onEnd` is called once on the loop's thread when nothing of the runner is left, before `ended` is fulfilled.
    init(
        id: String,
        revision: String,
        slot: Int,
        port: UInt16,
        template: RunnerTemplate,
        log: RunnerLog,
        denial: SyscallFilter.Denial,
        cgroup: RunnerCgroup?,
        loop: EventLoop,
        onEnd: @escaping @Sendable (Runner, RunnerEnd, Bool) -> Void
    ) {
        self.id = id
        self.revision = revision
        self.slot = slot
        self.port = port
        self.template = template
        self.log = log
        self.denial = denial
        self.cgroup = cgroup
        self.loop = loop
        self.onEnd = onEnd
    }

    /// Begins to listen to the runner's three ways out.
    func attach(report: PacketSocket, output: Descriptor, errors: Descriptor) throws(SystemError) {
        let outputs = [(output, LogStream.output), (errors, LogStream.errors)]
        state.withLock { $0.outputs = outputs }
        for (descriptor, stream) in outputs {
            try watch(descriptor) { [self] token in
                if read(descriptor, stream) == .ended { loop.unwatch(token) }
            }
        }
        try watch(report.descriptor) { [self] _ in receive(report) }
    }

    /// What the new process joins; nothing where the machine has no cgroups.
    func openCgroup() throws(SystemError) -> (descriptors: [Descriptor], isBirthplace: Bool) {
        guard let cgroup else { return ([], false) }
        return try cgroup.openForJoining()
    }

    /// Sends a signal to the runner's init, which hands SIGTERM on; an ended runner takes none.
    ///
    /// Where the process is not known yet it gets the signal as soon as it is.
    func signal(_ number: Int32) {
        let pidfd = state.withLock { state in
            if state.pidfd == nil, state.signalWanted != SIGKILL { state.signalWanted = number }
            return state.pidfd
        }
        // ESRCH: it has ended.
        if let pidfd { _ = clinux_pidfd_signal(pidfd.raw, number) }
    }

    /// From now on an end counts as asked for.
    func markStopping() { state.withLock { $0.isStopping = true } }

    /// The runner never came to be: gives back what was taken for it.
    func abandon(_ error: RunnerError) {
        guard claimEnd() else { return }
        unwatchAll()
        let end = RunnerEnd(cause: .stopped, message: error.message)
        log.close()
        release { [self] in
            onEnd(self, end, false)
            started.fulfil(.failure(error))
            ended.fulfil(end)
        }
    }

    // MARK: What the loop sees

    private func watch(
        _ descriptor: Descriptor,
        _ handler: @escaping @Sendable (EventLoop.Token) -> Void
    ) throws(SystemError) {
        let token = try loop.watch(descriptor, handler)
        state.withLock { $0.tokens.append(token) }
    }

    private enum ReadResult { case more, nothing, ended }

    private func read(_ descriptor: Descriptor, _ stream: LogStream) -> ReadResult {
        var bytes = [UInt8](repeating: 0, count: Self.readBytesMax)
        let count = Glibc.read(descriptor.raw, &bytes, bytes.count)
        if count > 0 {
            log.add(bytes[0..<count], stream)
            return .more
        }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .ended
    }

    private func receive(_ socket: PacketSocket) {
        while true {
            switch socket.receive() {
            case .nothing: return
            case .ended: return orphaned()
            case .report(let report, let descriptors):
                if take(report, descriptors) { return }
            }
        }
    }

    /// Takes one report; true where it was the last.
    private func take(_ report: mz_report, _ descriptors: [Descriptor]) -> Bool {
        switch report.kind {
        case MZ_SPAWNED.rawValue:
            let wanted = state.withLock { state in
                state.pid = report.pid
                state.pidfd = descriptors.first
                return state.signalWanted
            }
            if let wanted { signal(wanted) }
            announce()
        case MZ_READY.rawValue:
            state.withLock { $0.network = descriptors.first }
            if descriptors.count > 1 { listen(descriptors[1]) }
            announce()
        case MZ_FAILED.rawValue:
            state.withLock { $0.failure = (report.step, report.error) }
        case MZ_EXITED.rawValue:
            state.withLock { $0.programStatus = report.status }
        default:
            finish(initStatus: report.status)
            return true
        }
        return false
    }

    /// The two packets come in either order; the runner is started when both are there.
    private func announce() {
        let ready = state.withLock { state in
            state.pidfd != nil ? state.network.map { StartedRunner(pid: state.pid, network: $0) } : nil
        }
        if let ready { started.fulfil(.success(ready)) }
    }

    private func listen(_ listener: Descriptor) {
        do throws(SystemError) {
            try watch(listener) { [self] token in
                if denial == .kill {
                    killForCall(listener, token)
                } else if !denied.answer(listener) {
                    loop.unwatch(token)
                }
            }
        } catch {
            // Without an answerer every denied call would hang: dropping the listener makes them fail with ENOSYS.
            log.add(Array("denied syscalls are not reported: \(error)\n".utf8)[...], .meridian)
            if denial == .kill { signal(SIGKILL) }
        }
    }

    private func killForCall(_ listener: Descriptor, _ token: EventLoop.Token) {
        guard let name = denied.takeOne(listener) else { return loop.unwatch(token) }
        state.withLock { $0.fatal = (name, listener) }
        signal(SIGKILL)
        loop.unwatch(token)
    }

    /// The zygote is dead and init has let go: the kernel kills the rest; the pidfd says when it has.
    private func orphaned() {
        let (pidfd, isFirst) = state.withLock { state in
            defer { state.waitsForOrphan = true }
            return (state.pidfd, !state.waitsForOrphan)
        }
        guard isFirst else { return }
        unwatchAll()
        guard let pidfd else { return finish(initStatus: SIGKILL) }
        signal(SIGKILL)
        do throws(SystemError) {
            try watch(pidfd) { [self] _ in finish(initStatus: SIGKILL) }
        } catch {
            finish(initStatus: SIGKILL)
        }
    }

    // MARK: The end

    private func claimEnd() -> Bool {
        state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
    }

    private func finish(initStatus: Int32) {
        guard claimEnd() else { return }
        let state = self.state.withLock { $0 }
        for (descriptor, stream) in state.outputs {
            for _ in 0..<Self.drainRoundsMax where read(descriptor, stream) != .more { break }
        }
        let end: RunnerEnd
        if state.isStopping {
            end = RunnerEnd(cause: .stopped, message: "stopped")
        } else if let fatal = state.fatal {
            end = describe(deniedSyscall: fatal.syscall)
        } else if state.waitsForOrphan, state.programStatus == nil || state.programStatus == SIGKILL {
            end = RunnerEnd(cause: .signal(SIGKILL), message: "killed by signal 9 (the sandbox's launcher died)")
        } else {
            end = describe(state.programStatus ?? initStatus)
        }
        log.finish(end.message)
        let isSpontaneous = started.current != nil && !state.isStopping && denial != .report
        unwatchAll()
        release { [self] in
            onEnd(self, end, isSpontaneous)
            started.fulfil(.failure(startFailure(state.failure, end)))
            ended.fulfil(end)
        }
    }

    private func unwatchAll() {
        let tokens = state.withLock { state in
            defer { state.tokens = [] }
            return state.tokens
        }
        for token in tokens { loop.unwatch(token) }
    }

    /// Removes the cgroup and calls `done`; a group that is busy for moments more is tried again without blocking the loop.
    ///
    /// The network stays with `started`, see `SandboxedRunners.departedLinger`.
    private func release(tries: Int = RunnerCgroup.removalTriesMax, _ done: @escaping @Sendable () -> Void) {
        // Past the last try it is left to the next sweep.
        guard let cgroup, !cgroup.remove(), tries > 1 else {
            state.withLock { state in
                state.outputs = []
                state.network = nil
                state.pidfd = nil
                state.fatal = nil
            }
            return done()
        }
        loop.perform(after: .microseconds(Int64(RunnerCgroup.removalPauseMicroseconds))) { [self] in
            release(tries: tries - 1, done)
        }
    }
}
