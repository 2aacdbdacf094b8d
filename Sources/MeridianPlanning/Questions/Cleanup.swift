// Cleanup: what is no longer needed: old revisions, apps that are being deleted, what a deleted app left.
import MeridianModel

/// Ready revisions that an app keeps for rollbacks beside those in use: enough to go back over a day of work.
private let keptRevisionsMax = 10

/// Failed revisions that an app keeps, so that their reasons can still be read.
private let keptFailuresMax = 3

/// Removes what nobody needs any more, children before parents.
package func cleanup(_ situations: [AppSituation], _ routes: Routing, in world: World) -> Plan {
    var plan = Plan()
    for situation in situations {
        plan.append(
            situation.isDeleting ? deletion(of: situation, in: world) : history(of: situation, routes, in: world)
        )
    }
    plan.append(orphans(situations, in: world))
    return plan
}

/// Removes revisions beyond the history, never one that is in use.
private func history(of situation: AppSituation, _ routes: Routing, in world: World) -> Plan {
    var plan = Plan()
    let used = Set(
        [situation.app.status.servingRevision, situation.pinned?.metadata.name, situation.latest?.object.metadata.name]
            .compactMap(\.self)
    )
    let idle = situation.revisions.filter { stored in
        !used.contains(stored.object.metadata.name) && !routes.named.contains(stored.object.key.path)
            && !world.mayHaveRunners(stored.object.key.path) && world.activities[stored.object.key] == nil
    }
    let ready = idle.filter { $0.object.status.conditions.holds("Ready") }
    let failed = idle.filter { $0.object.status.conditions.condition("Ready")?.status == .isFalse }
    for stored in ready.dropLast(keptRevisionsMax) + failed.dropLast(keptFailuresMax) {
        plan.add(.delete(Fence(stored)), for: stored.object.key, because: "newer revisions replaced it")
    }
    return plan
}

/// Takes an app that is being deleted apart: routes first (they are gone from the assignments), then runners, then
/// revisions, and the app last.
private func deletion(of situation: AppSituation, in world: World) -> Plan {
    var plan = Plan()
    let key = situation.key
    for (name, view) in world.nodeViews.sorted(by: { $0.key < $1.key }) {
        guard let report = view.report, let assigned = view.assigned else {
            plan.wait(key, "is deleted once node \(name) answers")
            return plan
        }
        let paths = Set(situation.revisions.map(\.object.key.path))
        let isRouted = assigned.revisions.contains { paths.contains($0.key) } || report.assignment < assigned.number
        let left = report.runners.count { paths.contains($0.revision) }
        guard !isRouted, left == 0 else {
            plan.wait(key, "is deleted once its runners on node \(name) are gone; \(left) are left")
            return plan
        }
    }
    for stored in situation.revisions {
        if world.isWorking(on: stored.object.key) {
            plan.add(.cancelBuild(stored.object.key), for: stored.object.key, because: "its app is being deleted")
        }
        plan.add(.delete(Fence(stored)), for: stored.object.key, because: "its app is being deleted")
    }
    guard situation.revisions.isEmpty else { return plan }
    let finalizers = situation.app.metadata.finalizers
    if finalizers.isEmpty || finalizers.contains(drainFinalizer) {
        plan.add(.finishDeletion(Fence(situation.stored)), for: key, because: "nothing of it is left")
    } else {
        plan.wait(key, "is kept by the finalizers of others: \(finalizers.joined(separator: ", "))")
    }
    return plan
}

/// Removes revisions whose app is gone.
///
/// An app that cannot be read is not gone.
private func orphans(_ situations: [AppSituation], in world: World) -> Plan {
    var plan = Plan()
    let owners = Set(situations.map(\.app.metadata.uid))
    let obscured = world.obscuredApps
    for stored in world.revisions {
        let revision = stored.object
        let app = ObjectKey(kind: AppSpec.kind, namespace: revision.metadata.namespace, name: revision.spec.app)
        let owner = revision.metadata.ownerReferences.first?.uid ?? ""
        guard !owners.contains(owner), !obscured.contains(app) else { continue }
        if world.isWorking(on: revision.key) {
            plan.add(.cancelBuild(revision.key), for: revision.key, because: "its app is gone")
        }
        guard !isServed(revision.key.path, in: world) else {
            plan.wait(revision.key, "is deleted once its runners are gone")
            continue
        }
        plan.add(.delete(Fence(stored)), for: revision.key, because: "its app is gone")
    }
    return plan
}

/// Whether a node has a revision assigned, has runners of it, or cannot tell.
private func isServed(_ revision: String, in world: World) -> Bool {
    world.nodeViews.values.contains { view in
        guard let report = view.report, let assigned = view.assigned else { return true }
        return report.assignment < assigned.number || assigned.revisions.contains { $0.key == revision }
    } || world.runners(of: revision) > 0
}

extension World {
    /// Whether a build or check of a revision is under way.
    func isWorking(on revision: ObjectKey) -> Bool {
        switch activities[revision] {
        case .building, .checking: true
        case .ended, nil: false
        }
    }
}
