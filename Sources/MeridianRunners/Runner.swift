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
    struct State {
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
    let loop: EventLoop
    let onEnd: @Sendable (Runner, RunnerEnd, _ isSpontaneous: Bool) -> Void
    let state = Mutex(State())

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
}
