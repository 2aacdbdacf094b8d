// SandboxedRunners+PortCheck: starts a program once, looks where it listens, stops it, and says what it saw.
package import MeridianModel
package import MeridianPorts

extension SandboxedRunners {
    /// How often the socket table is read; starting takes milliseconds, so this adds little.
    private static let lookInterval = Duration.milliseconds(5)
    /// A program that has listened on $PORT at localhost for this long will not listen elsewhere any more.
    private static let localhostSettled = Duration.milliseconds(500)
    /// Stopping after the check is not the program's own affair: it gets little time.
    private static let stopGrace = Duration.seconds(1)

    package func checkPort(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        timeout: Duration
    ) async throws(RunnerError) -> PortCheckReport {
        let begin = ContinuousClock.now
        let runner = try await launch(id, revision: revision, template, bundle: bundle, purpose: .checking)
        let started: StartedRunner
        do throws(RunnerError) {
            started = try await runner.started.value.get()
        } catch  where error.reason == "CannotExecute" {
            return failure(error.reason, error.message, runner, [], since: begin)
        }
        let seen = await look(runner, started, until: begin + timeout)
        let report = await judge(seen, runner, started, timeout: timeout, since: begin)
        runner.markStopping()
        await end(runner, grace: Self.stopGrace)
        return report
    }

    /// What the look at the sockets came to.
    private enum Sight {
        case ended(RunnerEnd)
        case verdict(ListeningVerdict, [ListeningSocket])
    }

    private func look(_ runner: Runner, _ started: StartedRunner, until deadline: ContinuousClock.Instant) async
        -> Sight
    {
        var localhostSince: ContinuousClock.Instant?
        while true {
            if let end = runner.ended.current { return .ended(end) }
            let sockets = sockets.listening(in: started.network)
            let verdict = ListeningVerdict(sockets, port: runner.port)
            let now = ContinuousClock.now
            switch verdict {
            case .reachable:
                return .verdict(verdict, sockets)
            case .localhostOnly:
                let since = localhostSince ?? now
                localhostSince = since
                if now - since >= Self.localhostSettled { return .verdict(verdict, sockets) }
            case .elsewhere, .nowhere:
                localhostSince = nil
            }
            guard now < deadline else { return .verdict(verdict, sockets) }
            do {
                try await Task.sleep(for: Self.lookInterval)
            } catch {
                // Cancelled: the caller wants no answer, only that the program is stopped.
                return .verdict(verdict, sockets)
            }
        }
    }

    private func judge(
        _ sight: Sight,
        _ runner: Runner,
        _ started: StartedRunner,
        timeout: Duration,
        since begin: ContinuousClock.Instant
    ) async -> PortCheckReport {
        switch sight {
        case .ended(let end):
            let message = "\(end.message) before it listened on port \(runner.port). The output says why"
            return failure(Self.reason(end.cause), message, runner, [], since: begin)
        case .verdict(.reachable, let sockets):
            if let refusal = await healthRefusal(runner, started, until: begin + timeout) {
                return failure(refusal.reason, refusal.message, runner, sockets, since: begin)
            }
            return passed(runner, sockets, since: begin)
        case .verdict(let verdict, let sockets):
            let message = verdict.message(port: runner.port, timeout: timeout.text)
            return failure(verdict.reason, message, runner, sockets, since: begin)
        }
    }

    private func healthRefusal(
        _ runner: Runner,
        _ started: StartedRunner,
        until deadline: ContinuousClock.Instant
    ) async -> RunnerError? {
        guard let path = runner.template.healthPath else { return nil }
        let outcome = await probes.wait(
            network: started.network,
            port: runner.port,
            healthPath: path,
            timeout: max(.zero, deadline - .now),
            hasEnded: { runner.ended.current != nil }
        )
        switch outcome {
        case .ready:
            return nil
        case .ended:
            let end = await runner.ended.value
            return RunnerError(reason: Self.reason(end.cause), message: "\(end.message) when \(path) was asked")
        case .timedOut(let seen):
            return RunnerError(
                reason: "HealthPathFailed",
                message: "\(seen). Make \(path) answer 2xx or 3xx, or change spec.health"
            )
        }
    }

    private func passed(
        _ runner: Runner,
        _ sockets: [ListeningSocket],
        since begin: ContinuousClock.Instant
    ) -> PortCheckReport {
        if runner.template.onDenied == .kill, !runner.deniedSyscalls.isEmpty {
            return failure(
                "SyscallDenied",
                "the allowlist would have killed the program",
                runner,
                sockets,
                since: begin
            )
        }
        var report = PortCheckReport()
        report.passed = true
        report.reason = "Listening"
        report.listening = sockets.map(\.description)
        report.output = runner.log.tail
        report.deniedSyscalls = runner.deniedSyscalls
        report.elapsed = .now - begin
        return report
    }

    /// A program that failed and met denied syscalls most likely failed for them, so they come first.
    private func failure(
        _ reason: String,
        _ message: String,
        _ runner: Runner,
        _ sockets: [ListeningSocket],
        since begin: ContinuousClock.Instant
    ) -> PortCheckReport {
        let denied = runner.deniedSyscalls
        var report = PortCheckReport()
        report.listening = sockets.map(\.description)
        report.output = runner.log.tail
        report.deniedSyscalls = denied
        report.elapsed = .now - begin
        report.reason = denied.isEmpty ? reason : "SyscallDenied"
        let blocked = DeniedWords.message(denied, allowed: runner.template.syscalls)
        report.message = denied.isEmpty ? message : "\(blocked); \(message)"
        return report
    }
}
