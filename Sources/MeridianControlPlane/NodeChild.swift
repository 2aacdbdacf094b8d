// NodeChild: keeps one node process running beside the control plane: starts it, adopts it, restarts it, drains it.
import CLinux
import Glibc
import Logging
import MeridianContent

/// The node of a one-machine platform.
///
/// The node lives in a session of its own, so that neither the control plane's death nor the terminal's ctrl-C reaches
/// it; a node that an earlier control plane left is adopted with its runners.
struct NodeChild: Sendable {
    let directory: DataDirectory
    let name: String
    let edgeAddresses: EdgeAddresses
    let secureEdge: String?
    let proxyRanges: [String]
    let metrics: String?
    let logger: Logger

    /// How often the node's process is looked at: a restart begins this late at the latest, and a look costs one call.
    private static let lookInterval = Duration.milliseconds(200)
    /// A node that dies at once is restarted this late at the latest.
    private static let restartDelayMax = Duration.seconds(30)
    /// A node that lived for so long has its next restart at once.
    private static let steadyAfter = Duration.seconds(30)
    /// Longer than the node's own drain, after which it is killed.
    private static let drainMax = Duration.seconds(45)

    /// Keeps a node running until cancelled; then drains it and returns when it is gone.
    func run() async {
        var delay = Duration.zero
        while !Task.isCancelled {
            let started = ContinuousClock.now
            guard let pid = adopted() ?? spawned() else {
                delay = min(max(delay * 2, .milliseconds(500)), Self.restartDelayMax)
                try? await Task.sleep(for: delay)
                continue
            }
            await watch(pid)
            if Task.isCancelled {
                await drain(pid)
                return
            }
            logger.warning("the node ended and is started again", metadata: ["pid": "\(pid)"])
            let isSteady = ContinuousClock.now - started > Self.steadyAfter
            delay = isSteady ? .zero : min(max(delay * 2, .milliseconds(100)), Self.restartDelayMax)
            // Cancellation ends the wait early, and the loop with it.
            try? await Task.sleep(for: delay)
        }
    }

    /// The process that holds the node's lock; nil where none does.
    private func adopted() -> pid_t? {
        let descriptor = open(directory.nodeLock, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) != 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
        guard let pid = pid_t(text), pid > 0, kill(pid, 0) == 0 else { return nil }
        logger.info("adopted the running node", metadata: ["pid": "\(pid)"])
        return pid
    }

    /// A new node process in a session of its own; nil where it cannot be started.
    private func spawned() -> pid_t? {
        guard let executable = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(executable) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions,
            STDOUT_FILENO,
            directory.nodeOutput,
            O_WRONLY | O_CREAT | O_APPEND,
            0o600
        )
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // The node outlives this process and must hold nothing of it, nor of whoever started it.
        clinux_spawn_close_from(&actions, STDERR_FILENO + 1)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var everySignal = sigset_t()
        sigfillset(&everySignal)
        var noSignal = sigset_t()
        sigemptyset(&noSignal)
        posix_spawnattr_setsigdefault(&attributes, &everySignal)
        posix_spawnattr_setsigmask(&attributes, &noSignal)
        posix_spawnattr_setflags(
            &attributes,
            Int16(clinux_spawn_new_session) | Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK)
        )
        var pid: pid_t = 0
        let words =
            ["meridian", "node", "--data", directory.path, "--name", name]
            + edgeAddresses.current.flatMap { ["--edge", $0] } + (secureEdge.map { ["--edge-tls", $0] } ?? [])
            + proxyRanges.flatMap { ["--edge-proxy-from", $0] } + (metrics.map { ["--metrics", $0] } ?? [])
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        let failure = posix_spawn(&pid, executable, &actions, &attributes, &pointers, environ)
        guard failure == 0 else {
            logger.error("the node cannot be started", metadata: ["reason": "\(String(cString: strerror(failure)))"])
            return nil
        }
        logger.info("started the node", metadata: ["pid": "\(pid)"])
        return pid
    }

    /// Returns when the process has ended or the task is cancelled.
    private func watch(_ pid: pid_t) async {
        while !Task.isCancelled, isAlive(pid) {
            // Cancellation ends the wait early, and the loop with it.
            try? await Task.sleep(for: Self.lookInterval)
        }
    }

    /// Whether the process lives; a child of ours that has ended is reaped.
    private func isAlive(_ pid: pid_t) -> Bool {
        var status: Int32 = 0
        switch waitpid(pid, &status, WNOHANG) {
        case 0: return true
        case pid: return false
        // Not our child: an adopted node.
        default: return kill(pid, 0) == 0 || errno == EPERM
        }
    }

    /// SIGTERM, and SIGKILL to a node that is not gone in time.
    private func drain(_ pid: pid_t) async {
        kill(pid, SIGTERM)
        let deadline = ContinuousClock.now + Self.drainMax
        // The surrounding task is cancelled, which would end every sleep in it at once.
        await Task.detachedFromCancellation {
            while isAlive(pid), ContinuousClock.now < deadline { await pause(.milliseconds(20)) }
        }
        guard isAlive(pid) else { return }
        logger.warning("the node did not drain in time and is killed", metadata: ["pid": "\(pid)"])
        kill(pid, SIGKILL)
    }
}

extension Task where Success == Void, Failure == Never {
    /// Runs `body` to its end although the current task is cancelled.
    fileprivate static func detachedFromCancellation(_ body: @escaping @Sendable () async -> Void) async {
        await Task { await body() }.value
    }
}

/// A wait that nothing cancels.
private func pause(_ duration: Duration) async {
    await withCheckedContinuation { continuation in
        Task {
            // The task is new and never cancelled, so the sleep cannot fail.
            try? await Task<Never, Never>.sleep(for: duration)
            continuation.resume()
        }
    }
}
