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
    /// False for a port check's runner, whose end is part of the check's answer.
    private let announcesEnd: Bool
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
        announcesEnd: Bool,
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
        self.announcesEnd = announcesEnd
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
    func signal(_ number: Int32) {
        let pidfd = state.withLock { $0.pidfd }
        // ESRCH: it has ended.
        if let pidfd { _ = clinux_pidfd_signal(pidfd.raw, number) }
    }

    /// From now on an end counts as asked for.
    func markStopping() { state.withLock { $0.isStopping = true } }

    /// The runner never came to be: gives back what was taken for it.
    func abandon(_ error: RunnerError) {
        guard claimEnd() else { return }
        releaseAll()
        let end = RunnerEnd(cause: .stopped, message: error.message)
        onEnd(self, end, false)
        started.fulfil(.failure(error))
        ended.fulfil(end)
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
            state.withLock { state in
                state.pid = report.pid
                state.pidfd = descriptors.first
            }
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
                if !denied.answer(listener) { loop.unwatch(token) }
            }
        } catch {
            // Without an answerer every denied call would hang: dropping the listener makes them fail with ENOSYS.
            log.add(Array("denied syscalls are not reported: \(error)\n".utf8)[...], .meridian)
        }
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
        let (outputs, programStatus, failure, isStopping, wasOrphan) = state.withLock { state in
            (state.outputs, state.programStatus, state.failure, state.isStopping, state.waitsForOrphan)
        }
        for (descriptor, stream) in outputs {
            for _ in 0..<Self.drainRoundsMax where read(descriptor, stream) != .more { break }
        }
        let end: RunnerEnd
        if isStopping {
            end = RunnerEnd(cause: .stopped, message: "stopped")
        } else if wasOrphan, programStatus == nil || programStatus == SIGKILL {
            end = RunnerEnd(cause: .signal(SIGKILL), message: "killed by signal 9 (the sandbox's launcher died)")
        } else {
            end = describe(programStatus ?? initStatus)
        }
        log.finish(end.message)
        let isSpontaneous = started.current != nil && !isStopping && announcesEnd
        releaseAll()
        onEnd(self, end, isSpontaneous)
        started.fulfil(.failure(startFailure(failure, end)))
        ended.fulfil(end)
    }

    private func unwatchAll() {
        let tokens = state.withLock { state in
            defer { state.tokens = [] }
            return state.tokens
        }
        for token in tokens { loop.unwatch(token) }
    }

    private func releaseAll() {
        unwatchAll()
        cgroup?.remove()
        state.withLock { state in
            state.outputs = []
            state.network = nil
            state.pidfd = nil
        }
    }
}
