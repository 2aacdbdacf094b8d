// BoxProcess: runs one sandboxed command to its end and reads what it prints.
internal import CLinux
internal import Glibc
internal import Synchronization

/// How a command in the box ended.
enum BoxEnd: Sendable, Equatable {
    /// The command's status; 128 + signal where a signal killed it inside the box.
    case exited(Int32)
    /// The box itself was killed.
    case signalled(Int32)
    case timedOut
    case cancelled
    /// The box program could not be started.
    case notStarted(Int32)
}

/// One process that is spawned, read and reaped by a thread of its own.
///
/// A thread, since the box dies with the *thread* that spawned it (prctl(2), PR_SET_PDEATHSIG) and reading blocks.
/// Killing the box kills the init of its process namespace, and the kernel then kills everything inside.
final class BoxProcess: Sendable {
    private enum State {
        case waiting
        case running(pid_t)
        case cancelled
        case ended
    }

    /// The box, its options and the command; the first is the program's path.
    private let arguments: [String]
    private let deadline: ContinuousClock.Instant
    private let line: @Sendable (String) -> Void
    private let state = Mutex(State.waiting)

    init(arguments: [String], deadline: ContinuousClock.Instant, line: @escaping @Sendable (String) -> Void) {
        self.arguments = arguments
        self.deadline = deadline
        self.line = line
    }

    /// Runs the command; returns when it and everything that it started are gone.
    ///
    /// Cancelling the task kills them. Call once.
    func run() async -> BoxEnd {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let work = ThreadWork { continuation.resume(returning: self.runOnThisThread()) }
                if let code = work.start() { continuation.resume(returning: .notStarted(code)) }
            }
        } onCancel: {
            state.withLock { state in
                if case .running(let pid) = state { kill(pid, SIGKILL) }
                if case .ended = state { return }
                state = .cancelled
            }
        }
    }

    private func runOnThisThread() -> BoxEnd {
        var ends: [Int32] = [-1, -1]
        guard clinux_builds_pipe(&ends) == 0 else { return .notStarted(errno) }
        defer { close(ends[0]) }
        let started = spawn(output: ends[1])
        close(ends[1])
        guard case .success(let pid) = started else {
            if case .failure(let end) = started { return end.end }
            return .cancelled
        }
        let isTimedOut = !readLines(from: ends[0], until: deadline)
        if isTimedOut {
            kill(pid, SIGKILL)
            // Everything inside is killed with the box, so the pipe now ends by itself.
            _ = readLines(from: ends[0], until: nil)
        }
        let status = reap(pid)
        let wasCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .ended
            return false
        }
        if wasCancelled { return .cancelled }
        if isTimedOut { return .timedOut }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
    }

    /// An end that came before there was a process.
    private struct NoProcess: Error { let end: BoxEnd }

    private func spawn(output: Int32) -> Result<pid_t, NoProcess> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var pointers = arguments.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        return state.withLock { state in
            guard case .waiting = state else { return .failure(NoProcess(end: .cancelled)) }
            var pid: pid_t = 0
            let code = posix_spawn(&pid, arguments[0], &actions, nil, &pointers, &environment)
            guard code == 0 else {
                state = .ended
                return .failure(NoProcess(end: .notStarted(code)))
            }
            state = .running(pid)
            return .success(pid)
        }
    }

    /// Reads to the end of the pipe; false where `deadline` came first.
    private func readLines(from descriptor: Int32, until deadline: ContinuousClock.Instant?) -> Bool {
        var lines = OutputLines { self.line($0) }
        defer { lines.finish() }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            var wait: Int32 = -1
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline).components
                guard left.seconds >= 0, left.attoseconds >= 0 else { return false }
                // At most an hour at a time, so that the number fits; the loop asks again.
                wait = Int32(min(left.seconds, 3600) * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
            }
            var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            let ready = poll(&descriptors, 1, wait)
            if ready < 0 && errno != EINTR { return true }
            guard ready > 0 else { continue }
            let got = read(descriptor, &chunk, chunk.count)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return true }
            lines.append(chunk[..<got])
        }
    }

    /// Waits for the process; until it is reaped its number cannot mean another one, so `cancel` may kill by it.
    private func reap(_ pid: pid_t) -> Int32 {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
        state.withLock { state in
            if case .running = state { state = .ended }
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}

/// A closure that runs on a new thread.
private final class ThreadWork: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    /// Starts the thread; the error number where there is none to be had.
    func start() -> Int32? {
        var thread = pthread_t()
        // The thread takes over this retained reference and releases it at its end.
        let context = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().body()
                return nil
            },
            context
        )
        guard code == 0 else {
            Unmanaged<ThreadWork>.fromOpaque(context).release()
            return code
        }
        pthread_detach(thread)
        return nil
    }
}
