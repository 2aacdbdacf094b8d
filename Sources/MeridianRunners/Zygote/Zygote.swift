// Zygote: the running meridian-zygote process: started, asked, and seen off.
internal import CLinux
internal import CZygote
internal import Glibc
internal import MeridianPorts
internal import Synchronization

/// A zygote that serves.
///
/// Its end is the end of all its runners, and dropping the socket is its end.
final class Zygote: Sendable {
    /// The process id on the host.
    let pid: Int32
    private let socket: PacketSocket
    /// Why filters cannot tell of denied calls on this machine: an errno, 0 where they can.
    private let tellingError = Atomic<Int32>(0)
    /// Fulfilled when the process has ended and is reaped.
    let ended = Promise<Void>()

    private init(pid: Int32, socket: PacketSocket) {
        self.pid = pid
        self.socket = socket
    }

    /// Starts the program on the loop's thread and waits until it serves.
    ///
    /// `onEnd` is called on the loop's thread once, when the process has ended, whether asked to or not.
    static func launch(
        _ program: String,
        cgroups: CgroupTree,
        on loop: EventLoop,
        onEnd: @escaping @Sendable () -> Void
    ) async throws(RunnerError) -> Zygote {
        let launched = Promise<Result<Zygote, RunnerError>>()
        loop.perform { begin(program, cgroups, loop, launched, onEnd) }
        return try await launched.value.get()
    }

    private static func begin(
        _ program: String,
        _ cgroups: CgroupTree,
        _ loop: EventLoop,
        _ launched: Promise<Result<Zygote, RunnerError>>,
        _ onEnd: @escaping @Sendable () -> Void
    ) {
        do throws(SystemError) {
            let bases = try cgroups.openBases()
            let (own, other) = try PacketSocket.pair()
            let zygote = Zygote(pid: try spawn(program, other), socket: own)
            do throws(SystemError) {
                try own.send(cgroups.helloPacket(), bases)
                _ = try loop.watch(own.descriptor) { token in
                    if zygote.read(launched) == .ended {
                        loop.unwatch(token)
                        onEnd()
                    }
                }
            } catch {
                zygote.kill()
                throw error
            }
        } catch {
            launched.fulfil(.failure(unavailable("\(program): \(error)")))
        }
    }

    /// The socket becomes descriptor 3 of the program; everything else is left behind by it.
    private static func spawn(_ program: String, _ socket: Descriptor) throws(SystemError) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, socket.raw, 3)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = ["meridian-zygote", "serve", "3"].map(duplicate) + [nil]
        defer { for argument in arguments { free(argument) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var pid: Int32 = 0
        let code = posix_spawn(&pid, program, &actions, nil, &arguments, &environment)
        guard code == 0 else { throw SystemError("start", code: code) }
        return pid
    }

    private static func duplicate(_ text: String) -> UnsafeMutablePointer<CChar>? { strdup(text) }

    private static func unavailable(_ why: String) -> RunnerError {
        RunnerError(
            reason: "SandboxUnavailable",
            message: "the sandbox's launcher does not serve: \(why). Run `meridian doctor` or see the node's log"
        )
    }

    private enum ReadResult { case alive, ended }

    /// The only packets on this socket: one answer after start-up, then its end.
    private func read(_ launched: Promise<Result<Zygote, RunnerError>>) -> ReadResult {
        switch socket.receive() {
        case .nothing:
            break
        case .report(let report, _) where report.kind == MZ_READY.rawValue:
            tellingError.store(report.error, ordering: .relaxed)
            launched.fulfil(.success(self))
        case .report(let report, _):
            let why = "cannot \(stepWords(report.step)): \(errorWords(report.error))"
            launched.fulfil(.failure(Self.unavailable(why)))
        case .ended:
            // The process closes its end by exiting, so this does not block.
            let status = reap()
            launched.fulfil(.failure(Self.unavailable("it ended at once with wait status \(status)")))
            ended.fulfil(())
            return .ended
        }
        return .alive
    }

    /// The wait status; the process is reaped by nobody else.
    private func reap() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }

    /// Ends a zygote that nobody can talk to; it has no runner yet.
    private func kill() {
        _ = Glibc.kill(pid, SIGKILL)
        _ = reap()
    }

    /// Why filters cannot tell of denied calls on this machine, in words; nil where they can.
    var whyUntold: String? {
        let code = tellingError.load(ordering: .relaxed)
        guard code != 0 else { return nil }
        return code == EBUSY ? "a listener of whoever started the node has the machine's only place" : errorWords(code)
    }

    /// Asks for a runner; its report socket is the first descriptor.
    func request(_ packet: [UInt8], _ descriptors: [Descriptor]) throws(SystemError) {
        try socket.send(packet, descriptors)
    }

    /// Ends it and, with it, every runner of it.
    func end() {
        // ENOTCONN: it has ended already.
        _ = clinux_shut_writing(socket.descriptor.raw)
    }
}
