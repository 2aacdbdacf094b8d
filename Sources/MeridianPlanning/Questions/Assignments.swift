// Assignments: what each node is told to serve: routes, and how many runners of which revision.
import MeridianModel

/// Hands every node that answers what it should serve, where that differs from what it has.
package func assignments(
    _ situations: [AppSituation],
    _ rollouts: [Rollout],
    _ routes: Routing,
    in world: World
) -> Plan {
    var plan = Plan()
    for (name, view) in world.nodeViews.sorted(by: { $0.key < $1.key }) {
        let key = ObjectKey(kind: NodeSpec.kind, name: name)
        guard let report = view.report else {
            plan.wait(key, view.isSilent ? "does not answer" : "has not been heard yet")
            continue
        }
        let wanted = wantedAssignment(of: name, view, situations, rollouts, routes, in: world)
        guard !holds(wanted, view, report) else { continue }
        let why =
            view.assigned == nil ? "this control plane has not assigned anything yet" : "routes or revisions changed"
        plan.add(.assign(node: name, numbered(wanted, for: view, report)), for: key, because: why)
    }
    return plan
}

/// Whether a node has what it should have.
///
/// A report from before the assignment says nothing against it; one of another instance of the node does.
private func holds(_ wanted: NodeAssignment, _ view: NodeView, _ report: NodeReport) -> Bool {
    guard let assigned = view.assigned, same(assigned, wanted) else { return false }
    return report.assignment >= assigned.number || report.instance == view.assignedInstance
}

/// Whether two assignments differ in nothing but their numbers.
private func same(_ left: NodeAssignment, _ right: NodeAssignment) -> Bool {
    left.region == right.region && left.revisions == right.revisions && left.routes.hosts == right.routes.hosts
        && left.routes.policies == right.routes.policies && left.certificates == right.certificates
}

/// The assignment with a number that is newer than any the node may have.
private func numbered(_ wanted: NodeAssignment, for view: NodeView, _ report: NodeReport) -> NodeAssignment {
    var assignment = wanted
    assignment.number = max(view.assigned?.number ?? 0, view.numberTried, report.assignment) + 1
    assignment.routes.number = assignment.number
    return assignment
}

/// Everything that a node should serve, without numbers.
private func wantedAssignment(
    of node: String,
    _ view: NodeView,
    _ situations: [AppSituation],
    _ rollouts: [Rollout],
    _ routes: Routing,
    in world: World
) -> NodeAssignment {
    var assignment = NodeAssignment()
    let before = PreviousAssignment(view.assigned)
    let routed = Set(routes.hosts.filter { $0.backends.count > 1 || !isOwnHost($0) }.flatMap(weightedRevisions))
    var regions: [String: String] = [:]
    for (situation, rollout) in zip(situations, rollouts) where !situation.isDeleting {
        guard world.placement(of: situation.app).contains(node) else { continue }
        regions[situation.key.path] = world.region(of: situation.app, on: node)
        for revision in situation.readyRevisions {
            let template = world.runnerTemplate(of: revision) ?? before.template(of: revision, in: world)
            guard let template else { continue }
            let floor = runnersMin(of: revision, situation, rollout, routed: routed)
            assignment.revisions.append(revisionAssignment(of: revision, situation, template, runnersMin: floor))
        }
    }
    let startable = Set(assignment.revisions.map(\.key))
    assignment.routes.hosts = routes.hosts.compactMap { route in
        guard let region = regions[route.app] else { return nil }
        var route = route.keeping(startable)
        route.region = region
        return route
    }
    assignment.routes.policies = routes.policies
    let hosts = Set(assignment.routes.hosts.map(\.host))
    assignment.certificates = world.certificates(routes).filter { !hosts.isDisjoint(with: $0.hosts) }
    before.carryOver(into: &assignment, served: Set(regions.keys), in: world)
    return assignment
}

/// Runners of a revision that stay up: the app's minimum where a share of requests leads to it, and what a rollout prepares.
private func runnersMin(
    of revision: Revision,
    _ situation: AppSituation,
    _ rollout: Rollout,
    routed: Set<String>
) -> Int {
    let serves = revision.key == rollout.serving?.key || routed.contains(revision.key.path)
    let kept = serves ? situation.app.spec.scaling.min : 0
    return revision.key == rollout.target?.key ? max(kept, rollout.preparedRunners) : kept
}

private func revisionAssignment(
    of revision: Revision,
    _ situation: AppSituation,
    _ template: RunnerTemplate,
    runnersMin: Int
) -> RevisionAssignment {
    let scaling = situation.app.spec.scaling
    var assignment = RevisionAssignment()
    assignment.key = revision.key.path
    assignment.app = situation.key.path
    assignment.template = template
    assignment.runnersMin = runnersMin
    assignment.runnersMax = scaling.max
    assignment.targetConcurrency = scaling.target.concurrency
    assignment.idleAfter = scaling.idleAfter
    assignment.standby = scaling.standby
    assignment.restartNumber = situation.counter(OwnAnnotation.restart)
    return assignment
}

extension HostRoute {
    /// The route with clients kept on, and copies sent to, revisions of `startable` only: the node runs no others.
    func keeping(_ startable: Set<String>) -> HostRoute {
        var route = self
        route.kept = kept.filter(startable.contains)
        if let copied = mirror?.revision, !startable.contains(copied) { route.mirror = nil }
        for index in rules.indices { route.rules[index].kept = rules[index].kept.filter(startable.contains) }
        return route
    }
}

private func weightedRevisions(_ route: HostRoute) -> [String] {
    route.allBackends.filter { $0.weight > 0 }.compactMap(\.revision)
}

/// Whether a route is an app's or a revision's own host, which keeps nothing up by itself.
private func isOwnHost(_ route: HostRoute) -> Bool {
    guard let revision = route.backends.first?.revision, route.backends.count == 1 else {
        return route.backends.isEmpty
    }
    let parts = revision.split(separator: "/")
    let ownHosts = parts.count == 2 ? ["\(parts[1]).\(parts[0]).localhost"] : []
    let appParts = route.app.split(separator: "/")
    let appHosts = appParts.count == 2 ? ["\(appParts[1]).\(appParts[0]).localhost"] : []
    return (ownHosts + appHosts).contains(route.host)
}
