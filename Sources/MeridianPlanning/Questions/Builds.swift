// Builds: which revisions to make, build and check.
import MeridianModel

/// Makes the revision that an app's settings ask for, and brings the newest one from nothing to ready.
package func builds(for situation: AppSituation, in world: World) -> Plan {
    guard !situation.isDeleting else { return Plan() }
    var plan = Plan()
    for superseded in situation.revisions.dropLast() { plan.append(endSuperseded(superseded, in: world)) }
    if case .template(let template) = situation.desired, template != situation.latest?.object.spec.template {
        plan.append(creation(of: template, for: situation, in: world))
    } else if let latest = situation.latest {
        plan.append(progress(of: latest, for: situation, in: world))
    }
    return plan
}

private func creation(of template: RevisionTemplate, for situation: AppSituation, in world: World) -> Plan {
    let app = situation.app
    let latestNumber = situation.latest.flatMap { RevisionName($0.object.metadata.name)?.number } ?? 0
    let name = RevisionName(app: app.metadata.name, number: latestNumber + 1).description
    var plan = Plan()
    guard world.revisions["\(app.metadata.namespace)/\(name)"] == nil else {
        plan.wait(app.key, "makes \(name) once that of an earlier app of its name is gone")
        return plan
    }
    var spec = RevisionSpec()
    spec.app = app.metadata.name
    spec.appGeneration = app.metadata.generation
    spec.template = template
    var metadata = Metadata(name: name, namespace: app.metadata.namespace)
    metadata.labels = ["app": app.metadata.name]
    metadata.ownerReferences = [OwnerReference(kind: AppSpec.kind, name: app.metadata.name, uid: app.metadata.uid)]
    let why = situation.latest == nil ? "the app is new" : "the app's source or settings changed"
    let event = EventDraft(app.key, uid: app.metadata.uid, .normal, "RevisionCreated", "made revision \(name): \(why)")
    let revision = Revision(metadata: metadata, spec: spec)
    plan.add(.createRevision(revision, app: Fence(situation.stored), event: event), for: app.key, because: why)
    return plan
}

/// A revision that a newer one replaced before it was ready is not finished.
private func endSuperseded(_ stored: Stored<Revision>, in world: World) -> Plan {
    let revision = stored.object
    var plan = Plan()
    guard revision.status.conditions.condition("Ready")?.status ?? .unknown == .unknown else {
        // The answer to the write that settled it was lost.
        if world.activities[revision.key] != nil {
            plan.add(.cancelBuild(revision.key), for: revision.key, because: "what came of it is known")
        }
        return plan
    }
    if world.isWorking(on: revision.key) {
        plan.add(.cancelBuild(revision.key), for: revision.key, because: "a newer revision replaced it")
    }
    var status = revision.status
    let words = "a newer revision replaced it before it was ready"
    var updates = [Condition("Ready", .isFalse, "Superseded", words)]
    if !status.conditions.holds("Built") { updates.insert(Condition("Built", .isFalse, "Superseded", words), at: 0) }
    status.conditions = status.conditions.setting(updates, generation: revision.metadata.generation, now: world.now)
    plan.append(statusWrite(of: stored, status, events: [], settles: revision.key, because: words))
    return plan
}

private func progress(of stored: Stored<Revision>, for situation: AppSituation, in world: World) -> Plan {
    let revision = stored.object
    var plan = Plan()
    switch world.activities[revision.key] {
    case .ended(let result):
        return settled(stored, result, now: world.now)
    case .building:
        plan.wait(revision.key, "is being built")
        return plan
    case .checking:
        plan.wait(revision.key, "its port is being checked")
        return plan
    case nil: break
    }
    let built = revision.status.conditions.condition("Built")?.status ?? .unknown
    let ready = revision.status.conditions.condition("Ready")?.status ?? .unknown
    guard built != .isFalse, ready == .unknown else { return plan }
    if let retryAt = revision.status.retryAt, retryAt > world.now {
        plan.wait(revision.key, "tries again at \(retryAt)", until: retryAt)
        return plan
    }
    if built == .unknown {
        let start = BuildStart(
            revision: revision.key,
            uid: revision.metadata.uid,
            template: revision.spec.template
        )
        plan.add(.build(start), for: revision.key, because: "it is not built yet")
        return plan
    }
    return portCheck(of: revision, for: situation, in: world)
}

private func portCheck(of revision: Revision, for situation: AppSituation, in world: World) -> Plan {
    var plan = Plan()
    guard let template = world.runnerTemplate(of: revision) else {
        plan.wait(revision.key, "its Secrets are missing")
        return plan
    }
    guard let node = world.placement(of: situation.app).first else {
        plan.wait(revision.key, "waits for a node that answers")
        return plan
    }
    let start = PortCheckStart(
        revision: revision.key,
        uid: revision.metadata.uid,
        node: node,
        template: template,
        timeout: revision.spec.template.build.portCheck.timeout
    )
    plan.add(.checkPort(start), for: revision.key, because: "it is built and must be seen to listen on $PORT")
    return plan
}
