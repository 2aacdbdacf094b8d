// Shell: one sandbox from its request to its end: empty at first, then the place of one runner.
internal import CLinux
internal import CZygote
internal import Glibc
internal import MeridianPorts
internal import Synchronization

/// A sandbox whose namespaces, cgroup and limits are made and which waits for its program.
///
/// It takes one runner in its life, and ends with it. Its handlers run on the event loop's thread.
final class Shell: Sendable {
    struct State {
        var pid: Int32 = 0
        var pidfd: Descriptor?
        var network: Descriptor?
        var failure: (step: Int32, error: Int32)?
        /// A signal that was wanted before the process was known; SIGKILL outdoes SIGTERM.
        var signalWanted: Int32?
        var tenant: Runner?
        var tokens: [EventLoop.Token] = []
        /// Set while the end of an orphan is waited for.
        var waitsForOrphan = false
        /// Whether its cgroup could not be removed.
        var leavesGroup = false
        /// The end is told once, whichever of several signs of it comes first.
        var isOver = false
    }

    let shape: SandboxShape
    /// Decides the user id and the port of its runner.
    let slot: Int
    let cgroup: RunnerCgroup?
    let loop: EventLoop
    let state = Mutex(State())
    private let report: PacketSocket
    private let onParked: @Sendable (Shell) -> Void
    private let onEnd: @Sendable (Shell) -> Void

    /// `onParked` is called on the loop's thread when the shell can take a program at once; `onEnd` once when nothing of
    /// it is left, before its runner's end is told.
    init(
        shape: SandboxShape,
        slot: Int,
        cgroup: RunnerCgroup?,
        report: PacketSocket,
        loop: EventLoop,
        onParked: @escaping @Sendable (Shell) -> Void,
        onEnd: @escaping @Sendable (Shell) -> Void
    ) {
        self.shape = shape
        self.slot = slot
        self.cgroup = cgroup
        self.report = report
        self.loop = loop
        self.onParked = onParked
        self.onEnd = onEnd
    }

    /// The process and its network, once both are known.
    var place: StartedRunner? {
        state.withLock { state in
            state.pidfd == nil ? nil : state.network.map { StartedRunner(pid: state.pid, network: $0) }
        }
    }

    /// Whether its cgroup is left to be removed later.
    var leavesGroup: Bool { state.withLock { $0.leavesGroup } }

    /// What failed while it was made, where something did.
    var failure: (step: Int32, error: Int32)? { state.withLock { $0.failure } }

    /// Begins to listen to its reports.
    func attach() throws(SystemError) {
        let token = try loop.watch(report.descriptor) { [self] _ in receive() }
        state.withLock { $0.tokens.append(token) }
    }

    /// Takes a runner in; false where the shell has ended, whatever became of it.
    func admit(_ runner: Runner) -> Bool {
        state.withLock { state in
            guard !state.isOver, !state.waitsForOrphan else { return false }
            state.tenant = runner
            return true
        }
    }

    /// Sends the order to run a program; the shell may still be in the making.
    func order(_ packet: [UInt8], _ descriptors: [Descriptor]) throws(SystemError) {
        try report.send(packet, descriptors)
    }

    /// Tells the sandbox's init to stop all processes of its program, or to let them go on.
    func send(_ word: mz_request_kind) throws(SystemError) {
        let packet = mz_word(kind: word.rawValue)
        try report.send(withUnsafeBytes(of: packet) { Array($0) }, [])
    }

    /// Sends a signal to the sandbox's init, which hands SIGTERM on; an ended one takes none.
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

    private func receive() {
        while true {
            switch report.receive() {
            case .nothing: return
            case .ended: return orphaned()
            case .report(let report, let descriptors):
                if take(report, descriptors) { return }
            }
        }
    }

    /// Takes one report; true where it was the last.
    private func take(_ report: mz_report, _ descriptors: [Descriptor]) -> Bool {
        let tenant = state.withLock { $0.tenant }
        switch report.kind {
        case MZ_SPAWNED.rawValue:
            let wanted = state.withLock { state in
                state.pid = report.pid
                state.pidfd = descriptors.first
                return state.signalWanted
            }
            if let wanted { signal(wanted) }
            tenant?.announce()
            if place != nil { onParked(self) }
        case MZ_PARKED.rawValue:
            state.withLock { $0.network = descriptors.first }
            if place != nil { onParked(self) }
        case MZ_READY.rawValue:
            tenant?.noteExecuted()
        case MZ_DENIED.rawValue:
            tenant?.noteDenied(report.status)
        case MZ_FAILED.rawValue:
            state.withLock { $0.failure = (report.step, report.error) }
        case MZ_EXITED.rawValue:
            tenant?.noteProgramEnded(report.status)
        default:
            finish(initStatus: report.status)
            return true
        }
        return false
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
            let token = try loop.watch(pidfd) { [self] _ in finish(initStatus: SIGKILL) }
            state.withLock { $0.tokens.append(token) }
        } catch {
            finish(initStatus: SIGKILL)
        }
    }
}

extension Shell {
    /// Gives back what was taken for a shell that could not be asked for.
    ///
    /// It has no process and no runner.
    func abandon() {
        guard claimEnd() != nil else { return }
        unwatchAll()
        release { [self] in onEnd(self) }
    }

    /// Ends a shell that no runner was put into.
    func dismiss() {
        // ENOTCONN: it has ended already.
        _ = clinux_shut_writing(report.descriptor.raw)
    }

    private func finish(initStatus: Int32) {
        guard let tenant = claimEnd() else { return }
        let isOrphan = state.withLock { $0.waitsForOrphan }
        let ending = tenant?.conclude(initStatus: initStatus, isOrphan: isOrphan)
        unwatchAll()
        release { [self] in
            onEnd(self)
            if let ending { tenant?.tell(ending) }
        }
    }

    /// The tenant, or the lack of one; nil at the second sign of the end.
    private func claimEnd() -> Runner?? {
        state.withLock { state -> Runner?? in
            guard !state.isOver else { return .none }
            state.isOver = true
            return .some(state.tenant)
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
    /// The network stays with the runner's `started`, see `SandboxedRunners.departedLinger`.
    private func release(tries: Int = RunnerCgroup.removalTriesMax, _ done: @escaping @Sendable () -> Void) {
        let isBusy = cgroup.map { !$0.remove() } ?? false
        guard isBusy, tries > 1 else {
            state.withLock { state in
                state.leavesGroup = isBusy
                state.network = nil
                state.pidfd = nil
                state.tenant = nil
            }
            return done()
        }
        loop.perform(after: .microseconds(Int64(RunnerCgroup.removalPauseMicroseconds))) { [self] in
            release(tries: tries - 1, done)
        }
    }
}
