// SandboxedRunners+LeftGroups: cgroups of ended runners that the kernel would not remove, until it does.
internal import Synchronization

extension SandboxedRunners {
    /// What keeps a group busy is not the runner's any more and may take its time: a process that is stuck in the kernel,
    /// or one that somebody else put there.
    private static let laterPause = Duration.seconds(2)

    /// Tries again until the group is gone or its place is taken by the next shell, which kills what is in it.
    func removeLater(_ cgroup: RunnerCgroup, of slot: Int) {
        let isFirst = state.withLock { state in
            defer { state.leftGroups[slot] = cgroup }
            return state.leftGroups.isEmpty
        }
        if isFirst { scheduleRemoval() }
    }

    /// What the node says of them; empty where there are none.
    var leftGroupWords: String {
        let count = state.withLock { $0.leftGroups.count }
        guard count > 0 else { return "" }
        let groups = count == 1 ? "group of an ended runner is" : "groups of ended runners are"
        return "; \(count) \(groups) busy and removed later"
    }

    private func scheduleRemoval() {
        loop.perform(after: Self.laterPause) { [weak self] in self?.removeLeft() }
    }

    private func removeLeft() {
        // Under the lock, so that no shell is given the place of a group that is being removed.
        let isDone = state.withLock { state in
            for (slot, group) in state.leftGroups where group.remove() { state.leftGroups[slot] = nil }
            return state.leftGroups.isEmpty
        }
        if !isDone { scheduleRemoval() }
    }
}
