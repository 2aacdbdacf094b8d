// Runner+End: a runner's end is told once, after everything that was taken for it has been given back.
internal import Glibc
internal import MeridianPorts
internal import Synchronization

extension Runner {
    /// Rounds of reading after the end: what a pipe of any size can still hold.
    private static let drainRoundsMax = 64

    /// The runner never came to be: gives back what was taken for it.
    func abandon(_ error: RunnerError) {
        guard claimEnd() else { return }
        unwatchAll()
        let end = RunnerEnd(cause: .stopped, message: error.message)
        log.close()
        release { [self] in
            onEnd(self, end, false)
            started.fulfil(.failure(error))
            ended.fulfil(end)
        }
    }

    private func claimEnd() -> Bool {
        state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
    }

    func finish(initStatus: Int32) {
        guard claimEnd() else { return }
        let state = self.state.withLock { $0 }
        for (descriptor, stream) in state.outputs {
            for _ in 0..<Self.drainRoundsMax where read(descriptor, stream) != .more { break }
        }
        let end: RunnerEnd
        if state.isStopping {
            end = RunnerEnd(cause: .stopped, message: "stopped")
        } else if let fatal = state.fatal {
            end = describe(deniedSyscall: fatal.syscall)
        } else if state.waitsForOrphan, state.programStatus == nil || state.programStatus == SIGKILL {
            end = RunnerEnd(cause: .signal(SIGKILL), message: "killed by signal 9 (the sandbox's launcher died)")
        } else {
            end = describe(state.programStatus ?? initStatus)
        }
        log.finish(end.message)
        let isSpontaneous = started.current != nil && !state.isStopping && denial != .report
        unwatchAll()
        release { [self] in
            onEnd(self, end, isSpontaneous)
            started.fulfil(.failure(startFailure(state.failure, end)))
            ended.fulfil(end)
        }
    }

    func unwatchAll() {
        let tokens = state.withLock { state in
            defer { state.tokens = [] }
            return state.tokens
        }
        for token in tokens { loop.unwatch(token) }
    }

    /// Removes the cgroup and calls `done`; a group that is busy for moments more is tried again without blocking the loop.
    ///
    /// The network stays with `started`, see `SandboxedRunners.departedLinger`.
    private func release(tries: Int = RunnerCgroup.removalTriesMax, _ done: @escaping @Sendable () -> Void) {
        // Past the last try it is left to the next sweep.
        guard let cgroup, !cgroup.remove(), tries > 1 else {
            state.withLock { state in
                state.outputs = []
                state.network = nil
                state.pidfd = nil
                state.fatal = nil
            }
            return done()
        }
        loop.perform(after: .microseconds(Int64(RunnerCgroup.removalPauseMicroseconds))) { [self] in
            release(tries: tries - 1, done)
        }
    }
}
