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
        guard template.memory.bytes >= Self.memoryBytesMin, template.cpu >= RunnerCgroup.cpuMin, template.pids > 0,
            template.temporary.bytes > 0
        else {
            let least = "memory of at least 1Mi, cpu of at least \(RunnerCgroup.cpuMin), one process and a /tmp"
            let message = "\(id): \(least) are needed. Raise spec.resources"
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
        denial: SyscallFilter.Denial
    ) throws(RunnerError) -> Runner {
        let slot = try takeSlot(id)
        do throws(SystemError) {
            let cgroup = cgroups.version == .none ? nil : try RunnerCgroup.make(id, template, in: cgroups)
            let runner = Runner(
                id: id,
                revision: revision,
                slot: slot,
                port: Self.firstPort + UInt16(slot),
                template: template,
                log: try openLog(id, revision, cgroup),
                denial: denial,
                cgroup: cgroup,
                loop: loop
            ) { [weak self] runner, end, isSpontaneous in self?.noteEnd(runner, end, isSpontaneous) }
            state.withLock { $0.runners[id] = runner }
            return runner
        } catch {
            giveBack(slot, id)
            throw RunnerError(
                reason: "LimitRefused",
                message: "\(id): its limits or its log cannot be had: \(error). See spec.resources and the data disk"
            )
        }
    }

    private func openLog(_ id: String, _ revision: String, _ cgroup: RunnerCgroup?) throws(SystemError) -> RunnerLog {
        do throws(SystemError) {
            return try logs.open(id, revision: revision)
        } catch {
            // Nothing has joined it yet, so it goes at once.
            _ = cgroup?.remove()
            throw error
        }
    }

    private enum Slot {
        case taken(Int)
        case refused(String)
    }

    /// Slots that were never used come first, then the one that has been free for the longest: with a slot come a user id
    /// and a port, and those of a runner that has just ended are best left alone for a while.
    private func takeSlot(_ id: String) throws(RunnerError) -> Int {
        let slot: Slot = state.withLock { state in
            if state.isShutDown { return .refused("the node is shutting down") }
            if state.ids.contains(id) { return .refused("a runner of this id is running already") }
            if state.nextSlot < Self.runnersMax {
                state.nextSlot += 1
                state.ids.insert(id)
                return .taken(state.nextSlot - 1)
            }
            guard !state.freeSlots.isEmpty else { return .refused("the node has \(Self.runnersMax) runners already") }
            state.ids.insert(id)
            return .taken(state.freeSlots.removeFirst())
        }
        switch slot {
        case .taken(let slot): return slot
        case .refused(let why): throw RunnerError(reason: "LimitRefused", message: "\(id): \(why)")
        }
    }

    private func giveBack(_ slot: Int, _ id: String) {
        state.withLock { state in
            state.freeSlots.append(slot)
            state.ids.remove(id)
        }
    }

    private func noteEnd(_ runner: Runner, _ end: RunnerEnd, _ isSpontaneous: Bool) {
        state.withLock { state in
            state.runners.removeValue(forKey: runner.id)
            state.departed[runner.id] = runner
        }
        giveBack(runner.slot, runner.id)
        loop.perform(after: Self.departedLinger) { [weak self] in self?.forgetDeparted(runner) }
        if isSpontaneous {
            exitsContinuation.yield(RunnerExit(id: runner.id, cause: end.cause, message: end.message))
        }
    }

    private func forgetDeparted(_ runner: Runner) {
        state.withLock { state in
            if state.departed[runner.id] === runner { state.departed[runner.id] = nil }
        }
    }
}
