// Prediction: what the loop would do from a world on, if every step succeeded.
package import MeridianModel

/// What would happen, in order, and what would still be waited for at the end.
package struct Prediction: Sendable, Equatable {
    package var effects: [Effect]
    package var waiting: [Waiting]
    /// What differs at the end in a few words each: `build api (cached)`, `move 10 % of api.example → api-00007`.
    package var summary: [String] = []

    /// This prediction without the effects and waits that `other` has too.
    fileprivate func without(_ other: Prediction) -> Prediction {
        let known = Set(other.effects.map(\.text))
        let waits = Set(other.waiting.map(\.text))
        return Prediction(
            effects: effects.filter { !known.contains($0.text) },
            waiting: waiting.filter { !waits.contains($0.text) }
        )
    }
}

/// Plans again and again, assuming that each step succeeds, until nothing is left to do.
///
/// It is the planner of the loop, so a preview is what the loop does. Pure and bounded.
package func predict(_ world: World) -> Prediction {
    var (prediction, end) = run(world)
    prediction.summary = planSummary(from: world, to: end)
    return prediction
}

/// The prediction, and the world at its end.
private func run(_ world: World) -> (prediction: Prediction, end: World) {
    // A new app takes seven turns from nothing to routed; a rollout with runners three more.
    let turnsMax = 32
    var world = world
    var effects: [Effect] = []
    var waiting: [Waiting] = []
    for _ in 0..<turnsMax {
        let next = plan(world)
        waiting = next.waiting
        guard !next.steps.isEmpty else { break }
        let past = PastRevisions(world)
        for step in next.steps { effects += MeridianPlanning.effects(of: step, in: world, past: past) }
        for step in next.steps { world.assume(step.step) }
    }
    return (Prediction(effects: effects, waiting: waiting), world)
}

/// What declared objects add to what would happen anyway, if they were applied and `removed` ones deleted now.
package func predict(
    _ world: World,
    adding objects: [any APIObject],
    removing removed: [ObjectKey] = []
) -> Prediction {
    let anyway = run(world)
    var changed = world.overlaid(with: objects)
    for key in removed { changed.delete(key) }
    let with = run(changed)
    var prediction = with.prediction.without(anyway.prediction)
    prediction.summary = planSummary(from: anyway.end, to: with.end)
    return prediction
}

extension World {
    /// This world with declared objects laid over it, as if they had just been applied.
    ///
    /// An object whose spec is as it was is left alone; another one gets the next generation.
    package func overlaid(with objects: [any APIObject]) -> World {
        var world = self
        for object in objects { world.overlay(object) }
        return world
    }

    private mutating func overlay(_ object: any APIObject) {
        switch object {
        case let app as App: apps.overlay(app, now: now)
        case let split as TrafficSplit: splits.overlay(split, now: now)
        case let region as Region: regions.overlay(region, now: now)
        case let source as GitSource: gitSources.overlay(source, now: now)
        case let allowlist as SyscallAllowlist: allowlists.overlay(allowlist, now: now)
        case let policy as EdgePolicy: policies.overlay(policy, now: now)
        case let secret as Secret:
            var sealed = secret
            for key in secret.stringData.keys { sealed.sealed[key] = "new" }
            sealed.stringData = [:]
            secrets.set(Stored(sealed, modRevision: secrets[secret.key.path]?.modRevision ?? 0))
        default: break
        }
    }

    /// The world after a step that succeeded at once.
    fileprivate mutating func assume(_ step: Step) {
        switch step {
        case .createRevision(var revision, _, _):
            revision.metadata.uid = "predicted-\(revision.metadata.name)"
            revision.metadata.generation = 1
            revisions.set(Stored(revision, modRevision: 0))
        case .build(let start):
            activities[start.revision] = .ended(.built(BuiltBundle(bundle: .zero, executable: "predicted")))
        case .checkPort(let start):
            var report = PortCheckReport()
            report.passed = true
            report.reason = "Listening"
            report.listening = ["0.0.0.0:$PORT"]
            activities[start.revision] = .ended(.checked(report))
        case .cancelBuild(let key): activities[key] = nil
        case .write(let write): assume(write)
        case .delete(let fence), .finishDeletion(let fence): remove(fence.key)
        case .endRollback(let fence):
            guard var stored = apps[fence.key.path] else { return }
            stored.object.metadata.annotations[OwnAnnotation.rollbackTo] = nil
            stored.object.metadata.annotations[OwnAnnotation.rollbackFrom] = nil
            apps.set(stored)
        case .assign(let node, let assignment): assume(assignment, on: node)
        case .lookAtGit(let look): gitViews[look.subject, default: GitView()].isLooking = true
        case .applyGit(let apply): assume(apply)
        case .pruneGit(let prune):
            for object in prune.objects { delete(object.key) }
        case .record: break
        }
    }

    /// The objects of a commit are there as if a person had applied them.
    private mutating func assume(_ apply: GitApply) {
        for object in apply.objects {
            var context = DecodingContext()
            guard let kind = Kind.named(object.key.kind), let declared = kind.read(object.config, &context) else {
                continue
            }
            overlay(declared)
            let live = self.object(object.key)?.metadata
            let record = OwnedObject(
                object.key,
                uid: live?.uid ?? "",
                generation: live?.generation ?? 0,
                applied: object.digest
            )
            gitViews[apply.source.key]?.writes[object.key] = .applied(record)
        }
    }

    private mutating func assume(_ write: ObjectWrite) {
        if let settled = write.settles { activities[settled] = nil }
        switch write.object {
        case let app as App: apps.set(Stored(app, modRevision: write.replaces ?? 0))
        case let revision as Revision: revisions.set(Stored(revision, modRevision: write.replaces ?? 0))
        case let split as TrafficSplit: splits.set(Stored(split, modRevision: write.replaces ?? 0))
        case let region as Region: regions.set(Stored(region, modRevision: write.replaces ?? 0))
        case let policy as EdgePolicy: policies.set(Stored(policy, modRevision: write.replaces ?? 0))
        case let node as Node: nodes.set(Stored(node, modRevision: write.replaces ?? 0))
        case let runner as Runner: runners.set(Stored(runner, modRevision: write.replaces ?? 0))
        case let source as GitSource:
            gitSources.set(Stored(source, modRevision: write.replaces ?? 0))
            gitViews[source.key]?.forgetRecordedWrites()
        default: break
        }
    }

    /// An app goes when its routes and runners are gone, everything else at once.
    fileprivate mutating func delete(_ key: ObjectKey) {
        guard key.kind == AppSpec.kind, var stored = apps[key.path] else { return remove(key) }
        stored.object.metadata.deletionTimestamp = now
        apps.set(stored)
    }

    private mutating func remove(_ key: ObjectKey) {
        switch key.kind {
        case AppSpec.kind: apps.remove(key.path)
        case RevisionSpec.kind: revisions.remove(key.path)
        case RunnerSpec.kind: runners.remove(key.path)
        case TrafficSplitSpec.kind: splits.remove(key.path)
        case RegionSpec.kind: regions.remove(key.path)
        case SyscallAllowlistSpec.kind: allowlists.remove(key.path)
        case EdgePolicySpec.kind: policies.remove(key.path)
        case Secret.kind: secrets.remove(key.path)
        default: break
        }
    }

    /// The node takes the assignment, starts what must be up, and stops what is no longer assigned.
    private mutating func assume(_ assignment: NodeAssignment, on node: String) {
        guard var view = nodeViews[node], var report = view.report else { return }
        view.assigned = assignment
        view.assignedInstance = report.instance
        view.numberTried = assignment.number
        report.assignment = assignment.number
        let keys = Set(assignment.revisions.map(\.key))
        report.runners.removeAll { !keys.contains($0.revision) }
        for revision in assignment.revisions {
            let running = report.runners.count { $0.revision == revision.key }
            for number in running..<max(running, revision.runnersMin) {
                var runner = RunnerReport()
                runner.id = "predicted-\(number)-\(revision.key.split(separator: "/").last ?? "")"
                runner.revision = revision.key
                runner.state = .ready
                runner.startedAt = now
                report.runners.append(runner)
            }
        }
        view.report = report
        nodeViews[node] = view
    }
}

extension ObjectTable {
    /// Lays a declared object over the one at its path.
    fileprivate mutating func overlay<Spec: ResourceSpec, Status: Shaped>(
        _ declared: Object,
        now: Timestamp
    ) where Object == Resource<Spec, Status> {
        guard let existing = self[declared.key.path] else {
            var new = declared
            new.metadata.uid = "predicted-\(declared.key)"
            new.metadata.generation = 1
            new.metadata.creationTimestamp = now
            set(Stored(new, modRevision: 0))
            return
        }
        guard existing.object.spec != declared.spec else { return }
        var changed = existing
        changed.object.spec = declared.spec
        changed.object.metadata.generation += 1
        set(changed)
    }
}
