// SandboxedRunners+Register: what must hold before a runner is asked for: a sound template, a shell, a log.
internal import Glibc
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

extension SandboxedRunners {
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
        _ purpose: RunnerPurpose,
        isTold: Bool
    ) throws(RunnerError) -> SyscallFilter {
        do throws(SyscallFilterError) {
            // Whatever the allowlist says: the question is what the program calls.
            if purpose == .learning { return try filters.filter(syscallNames, denial: .recorded) }
            // Where the kernel cannot tell it answers itself.
            let untold: SyscallFilter.Denial = template.onDenied == .kill && purpose == .serving ? .kill : .errno
            return try filters.filter(template.syscalls, denial: isTold ? .told : untold)
        } catch {
            throw RunnerError(reason: "LimitRefused", message: "syscall allowlist: \(error)")
        }
    }

    /// Puts a new runner with its log into a shell: a parked one where there is one of its shape, else a fresh one.
    func register(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        purpose: RunnerPurpose,
        zygote: Zygote
    ) throws(RunnerError) -> Runner {
        try claim(id)
        do throws(RunnerError) {
            let shape = SandboxShape(template)
            // One that has ended since it was parked takes nobody in.
            while let shell = takeParked(shape) {
                if let runner = try makeRunner(id, revision, template, purpose, in: shell) { return runner }
            }
            let shell = try makeShell(shape, from: zygote)
            if let runner = try makeRunner(id, revision, template, purpose, in: shell) { return runner }
        } catch {
            release(id)
            throw error
        }
        release(id)
        throw RunnerError(reason: "SandboxUnavailable", message: "\(id): its sandbox ended before it was used")
    }

    /// Nil where the shell has ended.
    private func makeRunner(
        _ id: String,
        _ revision: String,
        _ template: RunnerTemplate,
        _ purpose: RunnerPurpose,
        in shell: Shell
    ) throws(RunnerError) -> Runner? {
        let log: RunnerLog
        do throws(SystemError) {
            log = try logs.open(id, revision: revision)
        } catch {
            shell.dismiss()
            let message = "\(id): its log cannot be had: \(error). See the data disk"
            throw RunnerError(reason: "LimitRefused", message: message)
        }
        let runner = Runner(
            id: id,
            revision: revision,
            port: Self.firstPort + UInt16(shell.slot),
            template: template,
            log: log,
            purpose: purpose,
            shell: shell,
            onDenied: { [weak self] in self?.noteDenied($0, $1) },
            onEnd: { [weak self] runner, end, isSpontaneous in self?.noteEnd(runner, end, isSpontaneous) }
        )
        state.withLock { $0.runners[id] = runner }
        if shell.admit(runner) { return runner }
        state.withLock { _ = $0.runners.removeValue(forKey: id) }
        log.close()
        return nil
    }

    private func claim(_ id: String) throws(RunnerError) {
        let refusal: String? = state.withLock { state in
            if state.isShutDown { return "the node is shutting down" }
            return state.ids.insert(id).inserted ? nil : "a runner of this id is running already"
        }
        if let refusal { throw RunnerError(reason: "LimitRefused", message: "\(id): \(refusal)") }
    }

    private func release(_ id: String) { state.withLock { _ = $0.ids.remove(id) } }

    /// A check's answer names what it was denied; the log says it in either case.
    private func noteDenied(_ runner: Runner, _ syscall: String) {
        guard runner.purpose != .learning else { return }
        let words = DeniedWords.message([syscall], allowed: runner.template.syscalls)
        runner.log.add(Array("\(words)\n".utf8)[...], .meridian)
        if runner.purpose == .serving { denied.note(syscall, revision: runner.revision) }
    }

    private func noteEnd(_ runner: Runner, _ end: RunnerEnd, _ isSpontaneous: Bool) {
        state.withLock { state in
            state.runners.removeValue(forKey: runner.id)
            state.departed[runner.id] = runner
            state.ids.remove(runner.id)
        }
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
