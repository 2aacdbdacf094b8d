// AppStatuses: what is said of an app: is its newest version built, is it ready, does the app serve.
import MeridianModel

/// The write of an app's status where it changed, and the end of a rollback that a newer revision ended.
func appStatus(
    of situation: AppSituation,
    rollout: Rollout,
    routed: RoutedHosts,
    in world: World
) -> Plan {
    let app = situation.app
    var plan = Plan()
    if endsRollback(situation) {
        let pinned = app.metadata.annotations[OwnAnnotation.rollbackTo] ?? ""
        let isThere = situation.readyRevisions.contains { $0.metadata.name == pinned }
        let why = isThere ? "a newer revision is ready" : "revision \(pinned) is not there any more"
        plan.add(.endRollback(Fence(situation.stored)), for: app.key, because: why)
        return plan
    }
    let serving = if case .flip = rollout.move { rollout.target } else { rollout.serving }
    var status = app.status
    status.observedGeneration = app.metadata.generation
    status.latestRevision = situation.latest?.object.metadata.name
    status.servingRevision = serving?.metadata.name
    status.pinnedRevision = situation.pinned?.metadata.name
    if world.nodesUnheard.isEmpty {
        status.readyRunners = situation.revisions.reduce(0) { $0 + world.readyRunners(of: $1.object.key.path) }
    }
    status.url = serving == nil ? nil : url(of: app, in: world) ?? status.url
    var updates = [built(situation), ready(situation), servingCondition(situation, serving, routed, in: world)]
    if let fetched = noteSource(of: app, in: world, &status) { updates.append(fetched) }
    status.conditions = status.conditions.setting(updates, generation: app.metadata.generation, now: world.now)
    explainRollout(situation, rollout, &plan)
    let events = appEvents(from: app.status, to: status, of: app)
    plan.append(statusWrite(of: situation.stored, status, events: events, because: reasonWords(app.status, status)))
    return plan
}

/// Takes down what the app's own repository led to; says whether it could be looked at, nil for other sources.
private func noteSource(of app: App, in world: World, _ status: inout AppStatus) -> Condition? {
    guard let reference = app.spec.source.git, app.spec.source.digest == nil else {
        (status.sourceCommit, status.sourceDigest, status.sourceOrigin) = (nil, nil, nil)
        status.conditions.removeAll { $0.type == "Fetched" }
        return nil
    }
    if let tree = world.gitTree(of: app) {
        (status.sourceCommit, status.sourceDigest, status.sourceOrigin) = (tree.commit, tree.source, reference.origin)
    }
    if let trouble = world.gitTrouble(of: app) {
        return Condition("Fetched", .isFalse, trouble.reason, trouble.message)
    }
    guard let tree = world.gitTree(of: app) else {
        return Condition("Fetched", .unknown, "Looking", "the repository is being looked at")
    }
    return Condition("Fetched", .isTrue, "Fetched", "commit \(tree.commit?.prefix(12) ?? "unknown")")
}

/// Where the app answers, by the first edge of the first node that may run it; nil while none answers.
private func url(of app: App, in world: World) -> String? {
    let reports = world.placement(of: app).compactMap { world.nodeViews[$0]?.report }
    guard let port = reports.first?.edges.first?.split(separator: ":").last else { return nil }
    return "http://\(defaultHost(of: app))" + (port == "80" ? "" : ":\(port)")
}

/// Whether the app carries a rollback that no longer holds.
private func endsRollback(_ situation: AppSituation) -> Bool {
    situation.app.metadata.annotations[OwnAnnotation.rollbackTo] != nil && situation.pinned == nil
        && !situation.isDeleting
}

private func built(_ situation: AppSituation) -> Condition {
    if case .blocked(let reason, let message) = situation.desired {
        return Condition("Built", .isFalse, reason, message)
    }
    return newest(situation, "Built")
}

private func ready(_ situation: AppSituation) -> Condition {
    if case .blocked(let reason, let message) = situation.desired {
        return Condition("Ready", .isFalse, reason, message)
    }
    return newest(situation, "Ready")
}

/// A condition of the newest revision, as long as that is what the app's settings ask for.
private func newest(_ situation: AppSituation, _ type: String) -> Condition {
    guard let latest = situation.latest?.object, .template(latest.spec.template) == situation.desired else {
        return Condition(type, .unknown, "RevisionPending", "a revision for these settings is about to be made")
    }
    let name = latest.metadata.name
    guard let condition = latest.status.conditions.condition(type) else {
        return Condition(type, .unknown, "InProgress", "\(name) is being built and checked")
    }
    return Condition(type, condition.status, condition.reason, "\(name): \(condition.message)")
}

/// Whether the app serves: `Routed` once every node that may run it leads its host to the serving revision, `Switching`
/// until then, where the one before goes on serving.
private func servingCondition(
    _ situation: AppSituation,
    _ serving: Revision?,
    _ routed: RoutedHosts,
    in world: World
) -> Condition {
    if situation.isDeleting { return Condition("Serving", .isFalse, "Deleting", "the app is being deleted") }
    guard let serving else {
        return Condition("Serving", .isFalse, "NoReadyRevision", "no revision has been ready yet")
    }
    let name = serving.metadata.name
    if let trouble = world.trouble(of: serving.key.path), world.readyRunners(of: serving.key.path) == 0 {
        return Condition(
            "Serving",
            .isFalse,
            "RunnersFailing",
            "\(name): \(trouble.message) (\(trouble.failures) in a row); next start at \(trouble.retryAt)"
        )
    }
    let before = situation.app.status.conditions.condition("Serving")
    let isRouted =
        routed.leads(
            defaultHost(of: situation.app),
            to: serving.key.path,
            on: world.placement(of: situation.app)
        )
        ?? (before?.reason == "Routed" && situation.app.status.servingRevision == name)
    guard isRouted else {
        let isFirst = before?.status != .isTrue
        return Condition("Serving", isFirst ? .unknown : .isTrue, "Switching", "\(name) is about to take over")
    }
    let pin = situation.pinned == nil ? "" : " (rolled back)"
    return Condition("Serving", .isTrue, "Routed", "\(name) serves\(pin)")
}

private func explainRollout(_ situation: AppSituation, _ rollout: Rollout, _ plan: inout Plan) {
    let target = rollout.target?.metadata.name ?? ""
    switch rollout.move {
    case .stay, .flip: break
    case .wait(let text): plan.wait(situation.key, "\(target) takes over later: \(text)")
    case .prepare(let runners, let ready):
        plan.wait(situation.key, "\(target) takes over when \(runners) runners are ready; \(ready) are")
    }
}

/// Events of an app: a change of the serving revision, and every change of `Serving` or of what blocks it.
private func appEvents(from old: AppStatus, to new: AppStatus, of app: App) -> [EventDraft] {
    var events: [EventDraft] = []
    func tell(_ type: EventType, _ reason: String, _ message: String) {
        events.append(EventDraft(app.key, uid: app.metadata.uid, type, reason, message))
    }
    if let serving = new.servingRevision, serving != old.servingRevision {
        let from = old.servingRevision.map { " (before: \($0))" } ?? ""
        tell(.normal, "RevisionServes", "\(serving) serves\(from)")
    }
    let changed = new.conditions.filter { condition in
        let before = old.conditions.condition(condition.type)
        return (before?.status, before?.reason) != (condition.status, condition.reason)
    }
    if let failing = changed.first(where: { $0.type == "Serving" && $0.reason == "RunnersFailing" }) {
        tell(.warning, failing.reason, failing.message)
    }
    let isBlocked = changed.first { $0.type == "Ready" && $0.reason.hasSuffix("Missing") }
    if let isBlocked { tell(.warning, isBlocked.reason, isBlocked.message) }
    return events
}

private func reasonWords(_ old: AppStatus, _ new: AppStatus) -> String {
    if let serving = new.servingRevision, serving != old.servingRevision {
        return "\(serving) takes over" + (old.servingRevision.map { " from \($0)" } ?? "")
    }
    return "its observed state changed"
}
