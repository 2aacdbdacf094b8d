// WaitReport: the progress of all apps of a wait, as lines, as a live block, and as errors at the end.

internal import MeridianModel

/// The apps of one wait.
struct WaitReport: Sendable {
    private(set) var apps: [AppProgress]

    /// Apps in the live block at most, so that it fits a terminal; the others are counted.
    private static let blockAppsMax = 20

    init(goals: [AppGoal]) { apps = goals.map(AppProgress.init) }

    /// Whether nothing is left to wait for: all apps are ready, or one has failed.
    var isDone: Bool { apps.allSatisfy(\.isDone) || !failures.isEmpty }

    /// The apps that failed, with why.
    private var failures: [(goal: AppGoal, words: String)] {
        apps.compactMap { app in if case .failed(let words) = app.state { (app.goal, words) } else { nil } }
    }

    /// Whether the app is waited for still.
    func isAwaited(_ key: ObjectKey) -> Bool { apps.contains { $0.goal.key == key && !$0.isDone } }

    mutating func see(_ app: App, at elapsed: Duration) -> [String] {
        apps.indices.filter { apps[$0].goal.key == app.key }.flatMap { apps[$0].see(app, at: elapsed) }
    }

    mutating func see(_ revision: Revision, at elapsed: Duration) -> [String] {
        apps.indices.flatMap { apps[$0].see(revision, at: elapsed) }
    }

    mutating func seeDeletion(of key: ObjectKey, at elapsed: Duration) -> [String] {
        apps.indices.filter { apps[$0].goal.key == key }.flatMap { apps[$0].seeDeletion(at: elapsed) }
    }

    /// What to print as errors when the wait, which `timeout` bounds, is over.
    ///
    /// Empty where all is well.
    func errors(timeout: Duration) -> [CommandFailure] {
        let failed = failures.map { goal, words in
            CommandFailure(
                goal.name,
                words,
                next: "Mend it and apply again; see more with: meridian describe app \(goal.key.name)"
            )
        }
        guard failed.isEmpty else { return failed }
        return apps.compactMap { app in
            guard case .underWay(let words) = app.state else { return nil }
            return CommandFailure(
                app.goal.name,
                "not ready after \(timeout.text): \(words)",
                next: "It goes on; look again with: meridian describe app \(app.goal.key.name)"
            )
        }
    }

    /// The lines of the live block, each at most `columns` wide.
    func block(at elapsed: Duration, columns: Int) -> [String] {
        let width = apps.map(\.goal.name.count).max() ?? 0
        var lines = apps.prefix(Self.blockAppsMax).map { app in
            let name = app.goal.name + String(repeating: " ", count: width - app.goal.name.count)
            return "\(mark(app)) \(name)  \(story(app, at: elapsed))"
        }
        if apps.count > Self.blockAppsMax {
            let ready = apps.filter { $0.state == .ready }.count
            lines.append("  and \(apps.count - Self.blockAppsMax) more; \(ready) of \(apps.count) are ready")
        }
        return lines.map { String($0.prefix(columns)) }
    }

    private func mark(_ app: AppProgress) -> String {
        switch app.state {
        case .underWay: "…"
        case .ready: "✓"
        case .failed: "✗"
        }
    }

    private func story(_ app: AppProgress, at elapsed: Duration) -> String {
        let time = shortText(app.endedAt ?? elapsed)
        let stages = app.stages.map(stageText).joined(separator: ", ")
        let words: String
        switch app.state {
        case .underWay(let waiting): words = firstLine(waiting)
        case .ready: words = "ready"
        case .failed(let reason): words = firstLine(reason)
        }
        return ([time, words] + (stages.isEmpty ? [] : ["(\(stages))"])).joined(separator: "  ")
    }

    private func firstLine(_ text: String) -> String { text.split(separator: "\n").first.map(String.init) ?? "" }
}
