// Runner+End: a runner's end, which its shell tells once, after everything that was taken for it has been given back.
internal import Glibc
internal import MeridianPorts
internal import Synchronization

extension Runner {
    /// Rounds of reading after the end: what a pipe of any size can still hold.
    private static let drainRoundsMax = 64

    /// The end, and what has to be said of it.
    struct Ending: Sendable {
        let end: RunnerEnd
        /// What a start that is under way is told.
        let failure: RunnerError
        let isSpontaneous: Bool
    }

    /// Takes the last output and finds out how it ended; called while the cgroup is still there to be asked.
    func conclude(initStatus: Int32, isOrphan: Bool) -> Ending {
        let state = self.state.withLock { $0 }
        for (descriptor, stream) in state.outputs {
            for _ in 0..<Self.drainRoundsMax where read(descriptor, stream) != .more { break }
        }
        let end: RunnerEnd
        if state.isStopping {
            end = RunnerEnd(cause: .stopped, message: "stopped")
        } else if let fatal = state.fatal {
            end = describe(deniedSyscall: fatal)
        } else if isOrphan, state.programStatus == nil || state.programStatus == SIGKILL {
            end = RunnerEnd(cause: .signal(SIGKILL), message: "killed by signal 9 (the sandbox's launcher died)")
        } else {
            end = describe(state.programStatus ?? initStatus)
        }
        log.finish(end.message)
        unwatchAll()
        return Ending(
            end: end,
            failure: state.refusal ?? startFailure(shell.failure, end),
            isSpontaneous: started.current != nil && !state.isStopping && purpose == .serving
        )
    }

    /// The order could not be given: ends the sandbox, and the start fails with these words.
    func refuse(_ error: RunnerError) {
        state.withLock { $0.refusal = error }
        signal(SIGKILL)
    }

    func tell(_ ending: Ending) {
        forgetDescriptors()
        onEnd(self, ending.end, ending.isSpontaneous)
        started.fulfil(.failure(ending.failure))
        ended.fulfil(ending.end)
    }

    /// An ended runner is remembered for a while; its pipes are not needed for that.
    private func forgetDescriptors() { state.withLock { $0.outputs = [] } }
}
