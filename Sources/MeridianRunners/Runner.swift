// Runner: one program in a sandbox from its order to its end, as the event loop sees it.
internal import CLinux
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
        /// Whether the program was executed.
        var isExecuted = false
        /// The wait status that init reported for the program.
        var programStatus: Int32?
        var isStopping = false
        /// Rises with each pause and resumption; odd while it is paused.
        var pauses = 0
        /// Why the order was not given, where it was not.
        var refusal: RunnerError?
        /// The denied syscall for which the runner is being killed, and the listener, which keeps the call waiting.
        var fatal: (syscall: String, listener: Descriptor)?
        var tokens: [EventLoop.Token] = []
        var outputs: [(Descriptor, LogStream)] = []
    }

    let id: String
    /// `namespace/name`.
    let revision: String
    let port: UInt16
    let template: RunnerTemplate
    let log: RunnerLog
    let denied = DeniedSyscalls()
    let started = Promise<Result<StartedRunner, RunnerError>>()
    let ended = Promise<RunnerEnd>()
    /// What a denied syscall meets; `.report` is a port check's, whose end is part of its answer and not announced.
    let denial: SyscallFilter.Denial
    let shell: Shell
    let loop: EventLoop
    let onEnd: @Sendable (Runner, RunnerEnd, _ isSpontaneous: Bool) -> Void
    let state = Mutex(State())

    /// `onEnd` is called once on the loop's thread when nothing of the runner is left, before `ended` is fulfilled.
    init(
        id: String,
        revision: String,
        port: UInt16,
        template: RunnerTemplate,
        log: RunnerLog,
        denial: SyscallFilter.Denial,
        shell: Shell,
        onEnd: @escaping @Sendable (Runner, RunnerEnd, Bool) -> Void
    ) {
        self.id = id
        self.revision = revision
        self.port = port
        self.template = template
        self.log = log
        self.denial = denial
        self.shell = shell
        loop = shell.loop
        self.onEnd = onEnd
    }

    /// Begins to listen to what the program prints.
    func attach(output: Descriptor, errors: Descriptor) throws(SystemError) {
        let outputs = [(output, LogStream.output), (errors, LogStream.errors)]
        state.withLock { $0.outputs = outputs }
        for (descriptor, stream) in outputs {
            try watch(descriptor) { [self] token in
                if read(descriptor, stream) == .ended { loop.unwatch(token) }
            }
        }
    }

    /// Sends a signal to the program by way of its init; see `Shell.signal`.
    func signal(_ number: Int32) { shell.signal(number) }

    /// From now on an end counts as asked for.
    func markStopping() { state.withLock { $0.isStopping = true } }
}
