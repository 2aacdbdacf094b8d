// AppProgress: how far one app is on its way to serving what was applied.

internal import MeridianModel

/// The app that is waited for, at the generation that was applied.
struct AppGoal: Hashable, Sendable {
    let key: ObjectKey
    let generation: Int

    /// `app/hello`, with the namespace where it is not the default.
    var name: String { "app/\(key.name)" }
}

/// What has been seen of one app; every transition returns the lines that it adds to the log of the wait.
struct AppProgress: Sendable {
    /// Where the app is.
    enum State: Hashable, Sendable {
        /// What it waits for, in words.
        case underWay(String)
        case ready
        /// The condition's reason and message.
        case failed(String)
    }

    let goal: AppGoal
    private(set) var state = State.underWay("waiting for the control plane")
    /// The stages that ended, in order, with their durations.
    private(set) var stages: [StageDuration] = []
    /// When the last news came, as time since the wait began.
    private(set) var changedAt = Duration.zero
    /// When the app became ready or failed, as time since the wait began.
    private(set) var endedAt: Duration?

    init(goal: AppGoal) { self.goal = goal }

    var isDone: Bool { endedAt != nil }

    /// Takes in a revision: its stages, where it was made for the generation that is waited for.
    mutating func see(_ revision: Revision, at elapsed: Duration) -> [String] {
        guard !isDone, revision.spec.app == goal.key.name, revision.spec.appGeneration == goal.generation,
            revision.metadata.namespace == goal.key.namespace
        else { return [] }
        let known = Set(stages.map(\.name))
        return revision.status.stages.filter { !known.contains($0.name) }.map { add($0, at: elapsed) }
    }

    /// Takes in the app: the end of the wait, or what it waits for.
    mutating func see(_ app: App, at elapsed: Duration) -> [String] {
        guard !isDone else { return [] }
        let status = app.status
        guard status.observedGeneration >= goal.generation else { return [] }
        if let failed = failure(of: status) {
            return end(.failed(failed), at: elapsed, "failed after \(shortText(elapsed))")
        }
        guard status.conditions.holds("Ready") else { return wait(words(of: status.conditions.condition("Ready"))) }
        guard let serving = servingRevision(of: status) else { return wait("being put in place of the old revision") }
        var lines: [String] = []
        if !stages.isEmpty {
            lines.append(add(StageDuration(name: "activate", duration: elapsed - changedAt), at: elapsed))
        }
        let place = status.url.map { " at \($0)" } ?? ""
        return lines + end(.ready, at: elapsed, "ready after \(shortText(elapsed)): \(serving) serves\(place)")
    }

    /// Takes in that the app is gone.
    mutating func seeDeletion(at elapsed: Duration) -> [String] {
        guard !isDone else { return [] }
        return end(.failed("Deleted: it was deleted meanwhile"), at: elapsed, "failed after \(shortText(elapsed))")
    }

    private func failure(of status: AppStatus) -> String? {
        let failed = ["Built", "Ready"].lazy.compactMap(status.conditions.condition).first { $0.status == .isFalse }
        return failed.map { "\($0.reason): \($0.message)" }
    }

    /// The revision that serves, where it is the newest or one that a rollback holds on to.
    private func servingRevision(of status: AppStatus) -> String? {
        guard let serving = status.servingRevision, status.isRouted else { return nil }
        return serving == status.latestRevision || status.pinnedRevision != nil ? serving : nil
    }

    private func words(of condition: Condition?) -> String {
        guard let condition else { return "waiting for a revision" }
        return condition.message.isEmpty ? condition.reason : condition.message
    }

    private mutating func wait(_ words: String) -> [String] {
        state = .underWay(words)
        return []
    }

    private mutating func add(_ stage: StageDuration, at elapsed: Duration) -> String {
        stages.append(stage)
        changedAt = elapsed
        return "\(goal.name)  \(stageText(stage))"
    }

    private mutating func end(_ state: State, at elapsed: Duration, _ words: String) -> [String] {
        self.state = state
        endedAt = elapsed
        return ["\(goal.name)  \(words)"]
    }
}

/// `port check 310ms`.
func stageText(_ stage: StageDuration) -> String {
    "\(stage.name == "portCheck" ? "port check" : stage.name) \(shortText(stage.duration))"
}

/// A duration in two or three digits: `7ms`, `3.2s`, `1m05s`.
func shortText(_ duration: Duration) -> String {
    let milliseconds = max(0, duration.wholeMilliseconds)
    let seconds = milliseconds / 1000
    switch milliseconds {
    case ..<1000: return "\(milliseconds)ms"
    case ..<60_000: return "\(seconds).\(milliseconds % 1000 / 100)s"
    default: return "\(seconds / 60)m\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)s"
    }
}
