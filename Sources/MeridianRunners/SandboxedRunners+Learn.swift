// SandboxedRunners+Learn: runs a program to see which syscalls it makes, and drives it meanwhile.
package import MeridianModel
package import MeridianPorts
internal import Synchronization

extension SandboxedRunners {
    /// Programs that are watched at once: each is a runner beside those that serve.
    private static let lessonsMax = 4
    /// Between two rounds of requests: the program's timers and idle work are to be seen too.
    private static let roundPause = Duration.milliseconds(500)
    /// What a request that gets no answer may take of a lesson.
    private static let answerMax = Duration.seconds(3)
    /// Stopping is watched as well, but not for as long as a program may take that has requests.
    private static let lessonGrace = Duration.seconds(5)

    package func learn(
        _ id: String,
        revision: String,
        _ template: RunnerTemplate,
        bundle: String,
        _ settings: LearnSettings
    ) async throws(RunnerError) -> SyscallLesson {
        try beginLesson()
        defer { state.withLock { $0.lessons -= 1 } }
        let begin = ContinuousClock.now
        let runner = try await launch(id, revision: revision, template, bundle: bundle, purpose: .learning)
        let started = try await runner.started.value.get()
        var lesson = SyscallLesson()
        lesson.revision = revision
        lesson.check = await firstSight(runner, started)
        lesson.requests = await drive(runner, started, settings.paths, until: begin + settings.duration)
        runner.markStopping()
        await end(runner, grace: min(template.terminationGrace, Self.lessonGrace))
        // Init's reports come before its end.
        lesson.syscalls = runner.deniedSyscalls
        lesson.refused = lesson.syscalls.filter { SyscallFacts.all[$0].map { $0.risk == .high } ?? true }
        lesson.elapsed = .now - begin
        return lesson
    }

    private func beginLesson() throws(RunnerError) {
        let isFree = state.withLock { state in
            guard state.lessons < Self.lessonsMax else { return false }
            state.lessons += 1
            return true
        }
        guard !isFree else { return }
        let message = "\(Self.lessonsMax) programs are being learned already. Try again when one has ended"
        throw RunnerError(reason: "LimitRefused", message: message)
    }

    private func firstSight(_ runner: Runner, _ started: StartedRunner) async -> String {
        let outcome = await ask(runner, started, runner.template.healthPath, within: runner.template.readyTimeout)
        switch outcome {
        case .ready: return "passed"
        case .ended: return "failed: \(await runner.ended.value.message)"
        case .timedOut(let seen): return "failed: \(seen)"
        }
    }

    /// Requests all paths in turn, once at least, until the time is over or the program has ended.
    private func drive(
        _ runner: Runner,
        _ started: StartedRunner,
        _ paths: [String],
        until deadline: ContinuousClock.Instant
    ) async -> [LessonRequest] {
        var requests = paths.map { LessonRequest($0) }
        repeat {
            for index in requests.indices where runner.ended.current == nil {
                requests[index].count += 1
                switch await ask(runner, started, requests[index].path, within: Self.answerMax) {
                case .ready: requests[index].answer = "answered"
                case .ended: requests[index].answer = "the program ended"
                case .timedOut(let seen): requests[index].answer = seen
                }
            }
            do {
                try await Task.sleep(for: Self.roundPause)
            } catch {
                // Cancelled: what was seen so far is the answer.
                break
            }
        } while .now < deadline && runner.ended.current == nil
        return requests
    }

    private func ask(
        _ runner: Runner,
        _ started: StartedRunner,
        _ path: String?,
        within timeout: Duration
    ) async -> ProbeOutcome {
        await probes.wait(
            network: started.network,
            port: runner.port,
            healthPath: path,
            timeout: timeout,
            hasEnded: { runner.ended.current != nil }
        )
    }
}
