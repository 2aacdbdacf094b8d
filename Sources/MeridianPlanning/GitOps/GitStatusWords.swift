// GitStatusWords: what is said of a GitSource: conditions, commits, problems, drift and events.
import MeridianModel

/// The status of a GitSource, but for its record of ownership.
struct GitStatusWords {
    private let source: GitSource
    private let view: GitView
    private let work: GitWork?
    private let missingSecret: ObjectKey?
    private let now: Timestamp

    init(_ source: GitSource, _ view: GitView, _ work: GitWork?, missingSecret: ObjectKey?, now: Timestamp) {
        self.source = source
        self.view = view
        self.work = work
        self.missingSecret = missingSecret
        self.now = now
    }

    /// What stops the looking; nil where nothing does.
    private var trouble: GitLookFailure? {
        if let missingSecret {
            let words = "spec.credentials: there is no \(missingSecret). Apply it"
            return GitLookFailure(reason: "SecretMissing", message: words)
        }
        return view.failure(under: .manifests(source.spec))
    }

    var status: GitSourceStatus {
        var status = source.status
        status.observedGeneration = source.metadata.generation
        if let commit = trouble?.commit { status.lastSeenCommit = commit }
        if let work {
            if trouble?.commit == nil { status.lastSeenCommit = work.reading.commit.id }
            status.tag = work.reading.tag
            status.problems = problems(of: work)
            status.drift = drift(of: work)
            if work.isDone { status.appliedCommit = work.reading.commit.id }
        }
        var updates = [fetched, applied, drifted(status.drift)].compactMap(\.self)
        if let verified { updates.append(verified) }
        let kept = status.conditions.filter { $0.type != "Verified" || source.spec.verify != nil }
        let conditions = kept.setting(updates, generation: source.metadata.generation, now: now)
        status.conditions = conditions.setting(
            [ready(conditions)],
            generation: source.metadata.generation,
            now: now
        )
        return status
    }

    // MARK: Conditions

    private var fetched: Condition? {
        if let trouble, trouble.reason != "Unverified" {
            return Condition("Fetched", .isFalse, trouble.reason, trouble.message)
        }
        guard let reading = work?.reading else {
            // What was said before a restart stays until the repository was looked at.
            let isKnown =
                source.status.conditions.condition("Fetched")?.observedGeneration == source.metadata.generation
            return isKnown ? nil : Condition("Fetched", .unknown, "Looking", "the repository is being looked at")
        }
        let tag = reading.tag.map { " (tag \($0))" } ?? ""
        let words = "commit \(reading.commit.short)\(tag) by \(reading.commit.author): \(reading.commit.subject)"
        return Condition("Fetched", .isTrue, "Fetched", words)
    }

    private var verified: Condition? {
        guard source.spec.verify != nil else { return nil }
        if let trouble, trouble.reason == "Unverified" {
            return Condition("Verified", .isFalse, trouble.reason, trouble.message)
        }
        guard let reading = work?.reading else { return nil }
        return Condition("Verified", .isTrue, "Signed", "an allowed signer signed commit \(reading.commit.short)")
    }

    private var applied: Condition? {
        guard let work else { return nil }
        let commit = work.reading.commit.short
        if let first = work.decision.problems.first {
            let rest = work.decision.problems.count - 1
            let more = rest > 0 ? " (and \(rest) more)" : ""
            let others = source.spec.atomic ? "nothing of it is applied" : "the other objects are applied"
            return Condition("Applied", .isFalse, "ProblemsFound", "commit \(commit): \(first.text)\(more); \(others)")
        }
        if let failure = failures(of: work).first {
            return Condition("Applied", .isFalse, "ApplyFailed", "commit \(commit): \(failure.text)")
        }
        if let refusal = work.decision.pruneRefusal {
            let next = "Restore them, or set spec.prune.approvedCommit to \(work.reading.commit.id)"
            return Condition("Applied", .isFalse, "PruneRefused", "commit \(commit): \(refusal). \(next)")
        }
        guard work.isDone else {
            return Condition("Applied", .unknown, "Applying", "commit \(commit) is being applied")
        }
        return Condition("Applied", .isTrue, "Applied", "commit \(commit): \(work.reading.objects.count) objects")
    }

    private func drifted(_ drift: [DriftedObject]) -> Condition? {
        guard work != nil else { return nil }
        guard let first = drift.first else { return Condition("Drifted", .isFalse, "InSync", "nothing differs") }
        let more = drift.count > 1 ? " (and \(drift.count - 1) more)" : ""
        let fields = first.fields.isEmpty ? "" : ": " + first.fields.joined(separator: ", ")
        return Condition("Drifted", .isTrue, "Differs", "\(first.key) \(first.message)\(fields)\(more)")
    }

    private func ready(_ conditions: [Condition]) -> Condition {
        if source.spec.suspend { return Condition("Ready", .isFalse, "Suspended", "spec.suspend is true") }
        let wrong = ["Fetched", "Verified", "Applied"].compactMap(conditions.condition)
        if let bad = wrong.first(where: { $0.status == .isFalse }) {
            return Condition("Ready", .isFalse, bad.reason, bad.message)
        }
        if let open = wrong.first(where: { $0.status == .unknown }) {
            return Condition("Ready", .unknown, open.reason, open.message)
        }
        guard let applied = conditions.condition("Applied") else {
            return Condition("Ready", .unknown, "Looking", "the repository is being looked at")
        }
        return Condition("Ready", .isTrue, applied.reason, applied.message)
    }

    // MARK: Lists

    private func problems(of work: GitWork) -> [GitProblem] {
        Array((work.decision.problems + failures(of: work)).prefix(GitSourceStatus.problemsMax))
    }

    /// Objects that could not be written, at their lines.
    private func failures(of work: GitWork) -> [GitProblem] {
        let places = Dictionary(work.reading.objects.map { ($0.key, $0) }) { first, _ in first }
        return work.failed.sorted { $0.key < $1.key }.compactMap { key, outcome in
            guard case .failed(_, let reason, let message, _) = outcome, !isDrift(reason) else { return nil }
            let object = places[key]
            return GitProblem(
                file: object?.file ?? source.spec.path,
                line: object?.line ?? 0,
                column: object == nil ? 0 : 1,
                message: "\(key): \(message)"
            )
        }
    }

    /// Where changes of others are left, a field that they manage is drift and no failure.
    private func isDrift(_ reason: String) -> Bool { source.spec.drift == .report && reason == "conflict" }

    private func drift(of work: GitWork) -> [DriftedObject] {
        let conflicts = work.failed.sorted { $0.key < $1.key }.compactMap { key, outcome -> DriftedObject? in
            guard case .failed(_, let reason, let message, _) = outcome, isDrift(reason) else { return nil }
            return DriftedObject(key, fields: [], message)
        }
        return Array((work.decision.drift + conflicts).prefix(GitSourceStatus.driftMax))
    }
}

/// The events of a change: one per commit, and one when something goes wrong or is put right.
func gitEvents(
    from old: GitSourceStatus,
    to new: GitSourceStatus,
    of source: GitSource,
    _ work: GitWork?
) -> [EventDraft] {
    var events: [EventDraft] = []
    func tell(_ type: EventType, _ reason: String, _ message: String) {
        events.append(EventDraft(source.key, uid: source.metadata.uid, type, reason, message))
    }
    if let work, new.appliedCommit != old.appliedCommit, new.appliedCommit == work.reading.commit.id {
        let commit = work.reading.commit
        let words = "commit \(commit.short) by \(commit.author): \(commit.subject)"
        tell(.normal, "CommitApplied", "\(words); \(work.reading.objects.count) objects")
    }
    if let work, !work.healed.isEmpty {
        // More names than this make the message longer than a line.
        let shown = work.healed.prefix(5).map(\.description).joined(separator: ", ")
        tell(.normal, "DriftHealed", "\(work.healed.count) changed elsewhere and applied again: \(shown)")
    }
    for type in ["Fetched", "Verified", "Applied"] {
        guard let after = new.conditions.condition(type), after.status == .isFalse else { continue }
        let before = old.conditions.condition(type)
        // The message of a commit names it; that of a network changes with its mood.
        let isNews = before?.reason != after.reason || (type != "Fetched" && before?.message != after.message)
        if isNews { tell(.warning, after.reason, after.message) }
    }
    if let after = new.conditions.condition("Drifted"), after.status == .isTrue,
        old.conditions.condition("Drifted")?.message != after.message
    {
        tell(.warning, "Drifted", after.message)
    }
    return events
}
