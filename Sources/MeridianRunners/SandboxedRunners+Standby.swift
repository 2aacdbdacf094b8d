// SandboxedRunners+Standby: runners that are kept but get no processor time, and little memory.
internal import CZygote
package import MeridianPorts
internal import Synchronization

extension SandboxedRunners {
    /// A runner that is paused for this long gives back what memory it can: one that is wanted sooner keeps its pages, so
    /// that it goes on without reading them from the disk.
    static let reclaimAfter = Duration.seconds(30)

    package func pause(_ handle: RunnerHandle) {
        guard let runner = runner(handle.id), let pauses = runner.pause() else { return }
        loop.perform(after: Self.reclaimAfter) { runner.reclaim(pauses) }
    }

    package func resume(_ handle: RunnerHandle) { runner(handle.id)?.resume() }
}

extension Runner {
    /// Stops the program where it runs; the number of this pause, or nil where it is paused already.
    func pause() -> Int? {
        let pauses: Int? = state.withLock { state in
            guard state.pauses.isMultiple(of: 2), !state.isStopping else { return nil }
            state.pauses += 1
            return state.pauses
        }
        if pauses != nil { tell(MZ_PAUSE) }
        return pauses
    }

    /// Lets the program go on where it is paused.
    func resume() {
        let isPaused = state.withLock { state in
            guard !state.pauses.isMultiple(of: 2) else { return false }
            state.pauses += 1
            return true
        }
        if isPaused { tell(MZ_RESUME) }
    }

    private func tell(_ word: mz_request_kind) {
        // A sandbox that cannot be told has ended, which its reports say.
        try? shell.send(word)
    }

    /// Gives the memory back that can be had without harm, where this very pause lasts.
    fileprivate func reclaim(_ pauses: Int) {
        guard state.withLock({ $0.pauses == pauses }), let cgroup = shell.cgroup else { return }
        do throws(SystemError) {
            // The kernel may look through all of it, which is no work for the loop.
            try startThread { cgroup.reclaim() }
        } catch {
            log.add(Array("its memory is kept while it is paused: \(error)\n".utf8)[...], .meridian)
        }
    }
}
