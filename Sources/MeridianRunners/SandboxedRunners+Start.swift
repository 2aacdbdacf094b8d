// SandboxedRunners+Start: from a template to a process that was executed, and to one that is ready.
internal import CLinux
internal import CZygote
internal import Glibc
package import MeridianModel
package import MeridianPorts
internal import Synchronization

extension SandboxedRunners {
    package func start(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String
    ) async throws(RunnerError) -> RunnerHandle {
        let runner = try await launch(id, revision: revision, template, bundle: bundle, purpose: .serving)
        let started = try await runner.started.value.get()
        return handle(runner, started)
    }

    package func waitReady(_ handle: RunnerHandle) async throws(RunnerError) {
        guard let runner = liveOrDeparted(handle.id), case .success(let started) = runner.started.current else {
            throw RunnerError(
                reason: "ExitedEarly",
                message: "\(handle.id) has ended. Its log has the last lines of its output"
            )
        }
        let template = runner.template
        let outcome = await probes.wait(
            network: started.network,
            port: runner.port,
            healthPath: template.healthPath,
            timeout: template.readyTimeout,
            hasEnded: { runner.ended.current != nil }
        )
        switch outcome {
        case .ready:
            return
        case .ended:
            let end = await runner.ended.value
            throw RunnerError(
                reason: Self.reason(end.cause),
                message: "\(end.message) before it was ready\(Self.quote(runner.log.tail))"
            )
        case .timedOut(let seen):
            throw notReady(runner, started, seen)
        }
    }

    /// Orders a runner; returns before the program is executed.
    func launch(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        purpose: RunnerPurpose
    ) async throws(RunnerError) -> Runner {
        try requireRoot()
        try validate(id, template, bundle)
        let zygote = try await readyZygote()
        let isTold = zygote.whyUntold == nil
        if purpose == .learning, let why = zygote.whyUntold {
            let message = "syscalls cannot be recorded on this machine: \(why)"
            throw RunnerError(reason: "SandboxUnavailable", message: message)
        }
        let filter = try compiled(template, purpose, isTold: isTold)
        let runner = try register(id, revision: revision, template, purpose: purpose, zygote: zygote)
        do throws(SystemError) {
            try order(runner, bundle: bundle, filter: filter, isTold: isTold)
        } catch {
            runner.refuse(RunnerError(reason: "SandboxUnavailable", message: "\(id): \(error)"))
        }
        scheduleRefill()
        return runner
    }

    func runner(_ id: String) -> Runner? { state.withLock { $0.runners[id] } }

    private func liveOrDeparted(_ id: String) -> Runner? { state.withLock { $0.runners[id] ?? $0.departed[id] } }

    func handle(_ runner: Runner, _ started: StartedRunner) -> RunnerHandle {
        RunnerHandle(
            id: runner.id,
            pid: started.pid,
            networkNamespace: started.network.raw,
            port: runner.port
        )
    }

    /// Tells the runner's shell what to run, and begins to listen to it.
    private func order(
        _ runner: Runner,
        bundle: String,
        filter: SyscallFilter,
        isTold: Bool
    ) throws(SystemError) {
        let (output, outputEnd) = try makePipe()
        let (errors, errorsEnd) = try makePipe()
        let tree = clinux_open_tree_read_only(bundle)
        guard tree >= 0 else { throw SystemError("open_tree \(bundle)") }
        let bundleTree = Descriptor(owning: tree)
        let packet = StartPacket(
            id: runner.id,
            answers: isTold ? runner.answers : nil,
            filter: filter,
            program: "/app/\(runner.template.executable)",
            arguments: [runner.template.executable] + runner.template.arguments,
            environment: RunnerEnvironment.variables(
                id: runner.id,
                port: runner.port,
                template: runner.template,
                bundle: bundle
            )
        )
        guard let bytes = packet.encoded() else {
            throw SystemError("pass arguments and environment of more than 100 KiB or with a NUL", code: E2BIG)
        }
        // Before the order: a program that ends at once is asked for its last words when it has ended.
        try runner.attach(output: output, errors: errors)
        try runner.shell.order(bytes, [outputEnd, errorsEnd, bundleTree])
    }

    private func makePipe() throws(SystemError) -> (reading: Descriptor, writing: Descriptor) {
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard clinux_pipe(&reading, &writing) == 0 else { throw SystemError("pipe2") }
        return (Descriptor(owning: reading), Descriptor(owning: writing))
    }

    private func notReady(_ runner: Runner, _ started: StartedRunner, _ seen: String) -> RunnerError {
        let verdict = ListeningVerdict(sockets.listening(in: started.network), port: runner.port)
        let timeout = runner.template.readyTimeout.text
        if verdict == .reachable || runner.template.healthPath != nil && verdict != .nowhere {
            let message = "not ready within \(timeout): \(seen). Make the health path answer 2xx or 3xx"
            return RunnerError(reason: "HealthPathFailed", message: message + Self.quote(runner.log.tail))
        }
        let message = verdict.message(port: runner.port, timeout: timeout)
        return RunnerError(reason: verdict.reason, message: message + Self.quote(runner.log.tail))
    }

    /// The reason word of an end.
    static func reason(_ cause: RunnerExitCause) -> String {
        switch cause {
        case .code, .stopped: "ExitedEarly"
        case .signal, .outOfMemory: "KilledBySignal"
        case .deniedSyscall: "SyscallDenied"
        }
    }

    /// Lines quoted in an error message: enough for the reason that a crash prints last.
    private static let quotedLinesMax = 5

    static func quote(_ lines: [String]) -> String {
        lines.isEmpty ? "" : ". Its last output: " + lines.suffix(quotedLinesMax).joined(separator: " | ")
    }
}
