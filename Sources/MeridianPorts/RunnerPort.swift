// RunnerPort: starting and stopping sandboxed processes on this machine.
package import MeridianModel

/// The machine's sandboxes.
///
/// One per node process; everything it started dies with it.
package protocol RunnerPort: Sendable {
    /// Starts a runner and returns once its process exists; readiness is waited for with `waitReady`.
    ///
    /// `id` is unique on the node, a DNS label, and the runner's host name; `revision` is `namespace/name`, under which
    /// its output is kept; `bundle` is the directory of the unpacked bundle, mounted read-only at `/app`.
    func start(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String
    ) async throws(RunnerError) -> RunnerHandle

    /// Waits until the runner accepts connections on its port (and answers on its health path), or throws why not.
    func waitReady(_ runner: RunnerHandle) async throws(RunnerError)

    /// SIGTERM, then SIGKILL after `grace`; returns when no process of the runner is left and its cgroup is gone.
    func stop(_ runner: RunnerHandle, grace: Duration) async

    /// Keeps this many empty sandboxes of each shape ready for starts to come, and no others.
    ///
    /// Those that are used are replaced. Never blocks; a machine that cannot have them has none, and starts without.
    func keepReady(_ counts: [SandboxShape: Int])

    /// Stops all processes of a runner until `resume` or `stop`; connections are taken by the kernel and wait.
    ///
    /// Never blocks. A runner that has ended is passed over.
    func pause(_ runner: RunnerHandle)

    /// Lets a paused runner go on; never blocks.
    func resume(_ runner: RunnerHandle)

    /// Runners that ended by themselves, as they end.
    var exits: AsyncStream<RunnerExit> { get }

    /// The port check: starts the template once in the sandbox, finds where it listens, stops it, and says what it saw.
    func checkPort(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        timeout: Duration
    ) async throws(RunnerError) -> PortCheckReport

    /// Runs the template in a sandbox that records every syscall and lets all but the dangerous through, requests what
    /// `settings` say, stops it, and says which calls it made.
    ///
    /// Its allowlist has no say. Ending early is part of the answer; throws where it cannot be run or recorded.
    func learn(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        _ settings: LearnSettings
    ) async throws(RunnerError) -> SyscallLesson

    /// The denied syscalls that runners made, by revision (`namespace/name`), by name and sorted.
    var deniedSyscalls: [String: [String]] { get }

    /// Tells that `deniedSyscalls` has grown; for one listener.
    var deniedChanges: AsyncStream<Void> { get }

    /// Drops what is known of denied syscalls of all revisions but these.
    func forgetDenied(except revisions: Set<String>)

    /// Which protections are in force: `cgroup`, `seccomp`, `user`, `network`… and how.
    var protections: [String: String] { get }
}

/// A started runner.
package struct RunnerHandle: Sendable, Hashable {
    package let id: String
    /// The process id on the host.
    package let pid: Int32
    /// A descriptor of the runner's network namespace, owned by the runner port, valid until the runner has ended.
    package let networkNamespace: Int32
    /// The port that the program was told to listen on, inside its network namespace on 127.0.0.1.
    package let port: UInt16

    package init(id: String, pid: Int32, networkNamespace: Int32, port: UInt16) {
        self.id = id
        self.pid = pid
        self.networkNamespace = networkNamespace
        self.port = port
    }
}

/// How a runner ended.
package struct RunnerExit: Sendable, Equatable {
    package let id: String
    package let cause: RunnerExitCause
    /// Words for people: `exited with code 3`, `killed by signal 9 (out of memory: limit 256Mi)`.
    package let message: String

    package init(id: String, cause: RunnerExitCause, message: String) {
        self.id = id
        self.cause = cause
        self.message = message
    }
}

/// What ended a runner.
package enum RunnerExitCause: Sendable, Equatable {
    case code(Int32)
    case signal(Int32)
    case outOfMemory
    /// Killed for a syscall, named here, that the allowlist denies with `onDenied: kill`.
    case deniedSyscall(String)
    /// `stop` ended it.
    case stopped
}

/// Why a runner could not be started or did not become ready.
package struct RunnerError: Error, Sendable, CustomStringConvertible {
    /// A short CamelCase word: the reasons of `PortCheckReport`, or `SandboxUnavailable`, `BundleMissing`, `LimitRefused`.
    package let reason: String
    package let message: String

    package init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }

    package var description: String { "runner: \(reason): \(message)" }
}
