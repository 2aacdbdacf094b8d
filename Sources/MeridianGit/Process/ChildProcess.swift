// ChildProcess: runs one program to its end within a deadline and a bound on what it prints.
internal import CLinux
internal import Glibc
internal import Synchronization

/// A program to run.
struct ChildCommand: Sendable {
    /// The program's path and its arguments.
    var arguments: [String]
    /// `NAME=value`; nothing is inherited.
    var environment: [String]
    var input: [UInt8] = []
    /// More output ends the program.
    var outputBytesMax: Int
    var deadline: ContinuousClock.Instant
}

/// How a program ended.
struct ChildEnd: Sendable {
    enum Cause: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
        case cancelled
        /// It printed more than it may.
        case tooMuchOutput
        /// The sink took no more, since the output is not of the form it must have.
        case wrongOutput
        /// It could not be started; an error number.
        case notStarted(Int32)
    }

    var cause: Cause
    /// Standard output, unless a sink took it.
    var output: [UInt8]
    /// The end of standard error, for messages.
    var errors: String

    var succeeded: Bool { cause == .exited(0) }
}

/// One process that is spawned, read and reaped by a thread of its own, since reading blocks.
///
/// It leads a process group; the whole group is killed at the deadline and on cancellation.
final class ChildProcess: Sendable {
    /// Takes standard output piece by piece; false: no more is wanted.
    typealias Sink = @Sendable (UnsafeRawBufferPointer) -> Bool

    private enum State {
        case waiting
        case running(pid_t)
        case cancelled
        case ended
    }

    private let command: ChildCommand
    private let sink: Sink?
    private let state = Mutex(State.waiting)

    /// As much of standard error as a person reads.
    private static let errorBytesMax = 8192
    /// How long what is left of a killed group may hold the pipes open.
    private static let lastOutputWait = Duration.seconds(2)

    private init(_ command: ChildCommand, sink: Sink?) {
        self.command = command
        self.sink = sink
    }

    /// Runs the command; returns when it has ended.
    ///
    /// Cancelling the task kills it and its children.
    static func run(_ command: ChildCommand, sink: Sink? = nil) async -> ChildEnd {
        let child = ChildProcess(command, sink: sink)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let work = ThreadWork { continuation.resume(returning: child.runOnThisThread()) }
                if let code = work.start() { continuation.resume(returning: child.notStarted(code)) }
            }
        } onCancel: {
            child.cancel()
        }
    }

    private func cancel() {
        state.withLock { state in
            if case .running(let pid) = state { kill(-pid, SIGKILL) }
            if case .ended = state { return }
            state = .cancelled
        }
    }

    private func notStarted(_ code: Int32) -> ChildEnd { ChildEnd(cause: .notStarted(code), output: [], errors: "") }

    private func runOnThisThread() -> ChildEnd {
        var outputs: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        guard clinux_builds_pipe(&outputs) == 0 else { return notStarted(errno) }
        defer { close(outputs[0]) }
        guard clinux_builds_pipe(&errors) == 0 else {
            close(outputs[1])
            return notStarted(errno)
        }
        defer { close(errors[0]) }
        let input = Self.inputFile(command.input)
        let started = input < 0 ? .notStarted(errno) : spawn(input: input, output: outputs[1], errors: errors[1])
        for descriptor in [input, outputs[1], errors[1]] where descriptor >= 0 { close(descriptor) }
        guard case .running(let pid) = started else {
            if case .notStarted(let code) = started { return notStarted(code) }
            return ChildEnd(cause: .cancelled, output: [], errors: "")
        }
        var reader = ChildReader(output: outputs[0], errors: errors[0], bytesMax: command.outputBytesMax, sink: sink)
        let stop = reader.read(until: command.deadline)
        // A program that closed its pipes may still run; the deadline holds for it too.
        let isLate = stop != nil || !waitForEnd(pid, until: command.deadline)
        if isLate {
            kill(-pid, SIGKILL)
            _ = reader.read(until: ContinuousClock.now + Self.lastOutputWait)
        }
        let status = reap(pid)
        let wasCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .ended
            return false
        }
        let cause: ChildEnd.Cause =
            wasCancelled
            ? .cancelled
            : isLate
                ? stop ?? .timedOut : status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
        return ChildEnd(
            cause: cause,
            output: reader.collected,
            errors: String(decoding: reader.errorTail.suffix(Self.errorBytesMax), as: UTF8.self)
        )
    }

    /// An unlinked file that holds the input, so that writing it can never wait for the program.
    private static func inputFile(_ bytes: [UInt8]) -> Int32 {
        guard !bytes.isEmpty else { return open("/dev/null", O_RDONLY | O_CLOEXEC) }
        let descriptor = clinux_git_memory_file("input")
        guard descriptor >= 0 else { return -1 }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                close(descriptor)
                return -1
            }
            rest = rest.dropFirst(count)
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private enum Started {
        case running(pid_t)
        case notStarted(Int32)
        case cancelled
    }

    private func spawn(input: Int32, output: Int32, errors: Int32) -> Started {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        clinux_spawn_close_from(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var arguments = command.arguments.map { strdup($0) } + [nil]
        var environment = command.environment.map { strdup($0) } + [nil]
        defer { for pointer in arguments + environment { free(pointer) } }
        return state.withLock { state in
            guard case .waiting = state else { return .cancelled }
            var pid: pid_t = 0
            let code = posix_spawn(&pid, command.arguments[0], &actions, &attributes, &arguments, &environment)
            guard code == 0 else {
                state = .ended
                return .notStarted(code)
            }
            state = .running(pid)
            return .running(pid)
        }
    }

    /// Waits for the process without reaping it; false where `deadline` came first.
    private func waitForEnd(_ pid: pid_t, until deadline: ContinuousClock.Instant) -> Bool {
        var info = siginfo_t()
        var pause = timespec(tv_sec: 0, tv_nsec: 200_000)
        while true {
            info.si_code = 0
            // WNOHANG leaves the code at 0 while the process runs.
            let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG)
            if result == 0, info.si_code != 0 { return true }
            if result < 0, errno != EINTR { return true }
            guard ContinuousClock.now < deadline else { return false }
            nanosleep(&pause, nil)
            pause.tv_nsec = min(pause.tv_nsec * 2, 20_000_000)
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
