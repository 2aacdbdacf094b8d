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

/// What a runner is for.
enum RunnerPurpose: Sendable {
    /// Requests.
    case serving
    /// A port check: denied calls fail whatever the allowlist does with them, and its end is part of the check's answer.
    case checking
    /// To see which syscalls its program makes; see `SandboxedRunners.learn`.
    case learning
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
        /// The denied syscalls that it made, by name.
        var denied: Set<String> = []
        /// The denied syscall for which init kills it.
        var fatal: String?
        var tokens: [EventLoop.Token] = []
        var outputs: [(Descriptor, LogStream)] = []
    }

    let id: String
    /// `namespace/name`.
    let revision: String
    let port: UInt16
    let template: RunnerTemplate
    let log: RunnerLog
    let started = Promise<Result<StartedRunner, RunnerError>>()
    let ended = Promise<RunnerEnd>()
    let purpose: RunnerPurpose
    let shell: Shell
    let loop: EventLoop
    let onDenied: @Sendable (Runner, _ syscall: String) -> Void
    let onEnd: @Sendable (Runner, RunnerEnd, _ isSpontaneous: Bool) -> Void
    let state = Mutex(State())

    /// `onDenied` is called on the loop's thread with each denied syscall's first call; `onEnd` once there when
    /// nothing of the runner is left, before `ended` is fulfilled.
    init(
        id: String,
        revision: String,
        port: UInt16,
        template: RunnerTemplate,
        log: RunnerLog,
        purpose: RunnerPurpose,
        shell: Shell,
        onDenied: @escaping @Sendable (Runner, String) -> Void,
        onEnd: @escaping @Sendable (Runner, RunnerEnd, Bool) -> Void
    ) {
        self.id = id
        self.revision = revision
        self.port = port
        self.template = template
        self.log = log
        self.purpose = purpose
        self.shell = shell
        loop = shell.loop
        self.onDenied = onDenied
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

    /// The denied syscalls that it made so far, by name, sorted.
    var deniedSyscalls: [String] { state.withLock { $0.denied.sorted() } }

    /// What a denied syscall meets.
    var onDeniedAction: DeniedSyscallAction { purpose == .serving ? template.onDenied : .errno }

    /// What its init does with calls that its filter stops.
    var answers: DeniedAnswers { purpose == .learning ? .learning : DeniedAnswers(onDeniedAction) }

    /// From now on an end counts as asked for.
    func markStopping() { state.withLock { $0.isStopping = true } }
}
