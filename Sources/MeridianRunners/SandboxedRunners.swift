// SandboxedRunners: the machine's sandboxes behind the runner port: one zygote, its runners, and their ends.
internal import Glibc
package import MeridianPorts
internal import Synchronization

/// Starts, watches and stops sandboxed processes on this machine.
///
/// One per node process. Needs root for now; without it every start throws `SandboxUnavailable` and `protections` says why.
package final class SandboxedRunners: RunnerPort {
    struct State {
        /// Ids of runners that are being made or live.
        var ids: Set<String> = []
        var runners: [String: Runner] = [:]
        /// Runners that ended lately; see `departedLinger`.
        var departed: [String: Runner] = [:]
        /// In the order in which they became free.
        var freeSlots: [Int] = []
        var nextSlot = 0
        var reserve = ShellReserve()
        var zygote: Promise<Result<Zygote, RunnerError>>?
        var isShutDown = false
        /// The groups of ended runners that are still busy, by slot.
        var leftGroups: [Int: RunnerCgroup] = [:]
        /// Programs whose syscalls are being learned.
        var lessons = 0

        /// Slots of shells, with and without a runner.
        var slotsTaken: Int { nextSlot - freeSlots.count }
    }

    /// Runners of one node at most: the zygote's table has as many places.
    package static let runnersMax = 1024

    /// How long an ended runner is remembered, with its network.
    ///
    /// Who holds its handle hears of the end within milliseconds; until then the descriptor's number must not come to mean
    /// another runner's network, and a late `waitReady` is told how the runner ended.
    static let departedLinger = Duration.seconds(3)

    /// What runners printed, to read and to follow.
    package let logs: RunnerLogs
    package let exits: AsyncStream<RunnerExit>
    let exitsContinuation: AsyncStream<RunnerExit>.Continuation
    let program: String
    let cgroups: CgroupTree
    /// The user id of the runner in slot 0; the others follow.
    let firstUser: UInt32
    let filters = SyscallFilterCache()
    let denied = DeniedRecord()
    let loop: EventLoop
    let probes: ReadinessProbes
    let sockets: SocketTables
    let state = Mutex(State())

    /// Prepares the machine: cgroups (sweeping what a dead node with the same data directory left) and two threads.
    ///
    /// The zygote is started by the first start of a runner; `warmUp` starts it before anything is big.
    /// - Parameters:
    ///   - program: the path of `meridian-zygote`; see `ZygoteProgram.locate`.
    ///   - dataDirectory: the node's; names its cgroups and holds `logs`.
    /// - Throws: `SandboxUnavailable` where a thread or descriptor cannot be had.
    package init(program: String, dataDirectory: String) throws(RunnerError) {
        self.program = program
        logs = RunnerLogs(directory: "\(dataDirectory)/logs")
        // 1024: one exit of every runner; a node that reads none of them for longer has lost them all anyway.
        (exits, exitsContinuation) = AsyncStream.makeStream(
            of: RunnerExit.self,
            bufferingPolicy: .bufferingNewest(Self.runnersMax)
        )
        cgroups = CgroupTree.prepare(dataDirectory: Self.absolute(dataDirectory))
        firstUser = Self.firstUsers(of: cgroups)
        do throws(SystemError) {
            loop = try EventLoop()
            probes = try ReadinessProbes()
            sockets = try SocketTables()
        } catch {
            throw RunnerError(reason: "SandboxUnavailable", message: "\(error)")
        }
    }

    deinit {
        loop.end()
        probes.end()
    }

    package var protections: [String: String] {
        let isRoot = geteuid() == 0
        return [
            "cgroup": cgroups.words + leftGroupWords,
            "filesystem": isRoot ? "read-only root, bundle read-only, one sized tmpfs" : Self.needsRoot,
            "namespaces": isRoot ? "pid mount net ipc uts cgroup" : Self.needsRoot,
            "network": isRoot ? "loopback only" : Self.needsRoot,
            "seccomp": isRoot ? seccompWords : Self.needsRoot,
            "user": isRoot ? "own user id per runner, no capabilities" : Self.needsRoot,
        ]
    }

    /// Whether denied calls are told is known once the zygote serves.
    private var seccompWords: String {
        guard case .success(let zygote) = state.withLock({ $0.zygote })?.current else { return "allowlist filter" }
        return zygote.whyUntold.map { "allowlist filter; denied syscalls are NOT told (\($0))" }
            ?? "allowlist filter; denied syscalls are told"
    }

    package var deniedSyscalls: [String: [String]] { denied.all }
    package var deniedChanges: AsyncStream<Void> { denied.changes }

    package func forgetDenied(except revisions: Set<String>) { denied.forget(except: revisions) }

    /// Starts the zygote now, so that it is forked small and the first cold start does not pay for it.
    package func warmUp() async throws(RunnerError) {
        try requireRoot()
        _ = try await readyZygote()
    }

    /// Stops every runner (with `grace`), then the zygote, and removes the node's cgroups.
    ///
    /// Further starts throw.
    package func shutdown(grace: Duration = .seconds(10)) async {
        let (runners, zygote) = state.withLock { state in
            state.isShutDown = true
            return (Array(state.runners.values), state.zygote)
        }
        await withTaskGroup(of: Void.self) { group in
            for runner in runners { group.addTask { await self.end(runner, grace: grace) } }
        }
        if let zygote, case .success(let zygote) = await zygote.value {
            zygote.end()
            await zygote.ended.value
        }
        // A start that was under way when the stopping began has been killed with the zygote.
        for runner in state.withLock({ Array($0.runners.values) }) { _ = await runner.ended.value }
        cgroups.sweep()
        exitsContinuation.finish()
        denied.finish()
        loop.end()
        probes.end()
    }

    /// The zygote that serves, started where there is none.
    func readyZygote() async throws(RunnerError) -> Zygote {
        let found: (promise: Promise<Result<Zygote, RunnerError>>, isFirst: Bool)? = state.withLock { state in
            guard !state.isShutDown else { return nil }
            if let zygote = state.zygote { return (zygote, false) }
            let promise = Promise<Result<Zygote, RunnerError>>()
            state.zygote = promise
            return (promise, true)
        }
        guard let (promise, isFirst) = found else {
            throw RunnerError(reason: "SandboxUnavailable", message: "the node is shutting down")
        }
        if isFirst {
            do throws(RunnerError) {
                let zygote = try await Zygote.launch(program, cgroups: cgroups, on: loop) { [weak self] in
                    self?.forget(promise)
                }
                promise.fulfil(.success(zygote))
            } catch {
                forget(promise)
                promise.fulfil(.failure(error))
            }
        }
        return try await promise.value.get()
    }

    /// The next start launches another; the runners of this one report their own ends.
    private func forget(_ zygote: Promise<Result<Zygote, RunnerError>>) {
        state.withLock { state in
            if state.zygote === zygote { state.zygote = nil }
        }
    }

    /// Above the machine's own users; a block of its own per node, since limits per user hold across nodes.
    private static func firstUsers(of cgroups: CgroupTree) -> UInt32 {
        200_000 + UInt32(cgroups.parentHash % 1024) * UInt32(runnersMax)
    }

    static let needsRoot = "OFF: the node does not run as root, so it cannot make sandboxes"

    func requireRoot() throws(RunnerError) {
        guard geteuid() == 0 else {
            throw RunnerError(
                reason: "SandboxUnavailable",
                message: "making sandboxes needs root. Start the node as root (sudo meridian up …)"
            )
        }
    }

    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
