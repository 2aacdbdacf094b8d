// SandboxedRunners+Register: what must hold before a runner is asked for: a sound template, a slot, a cgroup, a log.
internal import Glibc
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

extension SandboxedRunners {
    /// The first port of a runner; below Linux's ephemeral ports and above what programs have as default.
    private static let firstPort: UInt16 = 20_000
    /// Less memory than this starts nothing, and the kernel would kill it in words that explain nothing.
    private static let memoryBytesMin: Int64 = 1 << 20

    func validate(_ id: String, _ template: RunnerTemplate, _ bundle: String) throws(RunnerError) {
        let isLabel = id.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isLabel, (1...63).contains(id.utf8.count) else {
            throw RunnerError(
                reason: "LimitRefused",
                message: "\"\(id)\" is no runner id: use at most 63 of a-z, 0-9 and -"
            )
        }
        guard template.memory.bytes >= Self.memoryBytesMin, template.pids > 0, template.temporary.bytes > 0 else {
            let message = "\(id): memory of at least 1Mi, one process and a /tmp are needed. Raise spec.resources"
            throw RunnerError(reason: "LimitRefused", message: message)
        }
        let program = "\(bundle)/\(template.executable)"
        guard fileExists(program) else {
            throw RunnerError(
                reason: "BundleMissing",
                message: "\(program) is not there. Fetch the bundle from the registry again"
            )
        }
    }

    func compiled(
        _ template: RunnerTemplate,
        _ denial: SyscallFilter.Denial
    ) throws(RunnerError) -> SyscallFilter {
        do throws(SyscallFilterError) {
            return try filters.filter(template.syscalls, denial: denial)
        } catch {
            throw RunnerError(reason: "LimitRefused", message: "syscall allowlist: \(error)")
        }
    }

    /// Takes a slot, a cgroup and a log for a new runner.
    func register(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        announcesEnd: Bool
    ) throws(RunnerError) -> Runner {
        let slot = try takeSlot(id)
        do throws(SystemError) {
            let log = try logs.open(id, revision: revision)
            let cgroup = cgroups.version == .none ? nil : try RunnerCgroup.make(id, template, in: cgroups)
            let runner = Runner(
                id: id,
                revision: revision,
                slot: slot,
                port: Self.firstPort + UInt16(slot),
                template: template,
                log: log,
                announcesEnd: announcesEnd,
                cgroup: cgroup,
                loop: loop
            ) { [weak self] runner, end, isSpontaneous in self?.noteEnd(runner, end, isSpontaneous) }
            let isFree = state.withLock { state in
                guard state.runners[id] == nil else { return false }
                state.runners[id] = runner
                return true
            }
            if isFree { return runner }
            throw SystemError("register \(id)", code: EEXIST)
        } catch {
            giveBack(slot)
            throw RunnerError(
                reason: "LimitRefused",
                message: "\(id): \(error). Is a runner of this id running already?"
            )
        }
    }

    private func takeSlot(_ id: String) throws(RunnerError) -> Int {
        let slot: Int? = state.withLock { state in
            guard !state.isShutDown else { return nil }
            if let free = state.freeSlots.popLast() { return free }
            guard state.nextSlot < Self.runnersMax else { return nil }
            state.nextSlot += 1
            return state.nextSlot - 1
        }
        guard let slot else {
            throw RunnerError(
                reason: "LimitRefused",
                message: "\(id): the node is shutting down or has \(Self.runnersMax) runners"
            )
        }
        return slot
    }

    private func giveBack(_ slot: Int) { state.withLock { $0.freeSlots.append(slot) } }

    private func noteEnd(_ runner: Runner, _ end: RunnerEnd, _ isSpontaneous: Bool) {
        state.withLock { state in
            state.runners.removeValue(forKey: runner.id)
            state.freeSlots.append(runner.slot)
        }
        if isSpontaneous {
            exitsContinuation.yield(RunnerExit(id: runner.id, cause: end.cause, message: end.message))
        }
    }
}
