// Effects: a step in words for people: what changes outside the books; status keeping is left out.
package import MeridianModel

/// One thing that will happen, as `meridian plan` shows it.
package struct Effect: Sendable, Hashable {
    /// `make`, `build`, `check`, `serve`, `route`, `unroute`, `mirror`, `protect`, `expose`, `start`, `remove`, `end`,
    /// `cancel`.
    package let verb: String
    package let object: ObjectKey
    /// The whole line without the reason: `route hello.default.localhost to 100 % hello-00001`.
    package let text: String
    package let why: String
}

/// The effects of one step in a world; none for steps that only write down what was observed.
///
/// `past` are the revisions of that world; it is given since the steps of one plan share it.
func effects(of planned: PlannedStep, in world: World, past: PastRevisions) -> [Effect] {
    func effect(_ verb: String, _ object: ObjectKey, _ text: String) -> Effect {
        Effect(verb: verb, object: object, text: "\(verb) \(text)", why: planned.why)
    }
    switch planned.step {
    case .createRevision(let revision, _, _):
        let change = past.syscallChange(of: revision).map { " (syscalls \($0.words(most: syscallsNamedMax)))" } ?? ""
        return [effect("make", revision.key, "revision \(revision.key.path)\(change)")]
    case .build(let start):
        let cached = past.hasBuilt(start.template) ? " (cached)" : ""
        return [effect("build", start.revision, "\(start.revision.path)\(cached)")]
    case .cancelBuild(let key):
        return [effect("cancel", key, "the build of \(key.path)")]
    case .checkPort(let start):
        return [effect("check", start.revision, "that \(start.revision.path) listens on $PORT")]
    case .write(let write):
        return servingEffects(write, in: world).map { effect("serve", write.key, $0) }
    case .delete(let fence):
        return fence.key.kind == RevisionSpec.kind ? [effect("remove", fence.key, "revision \(fence.key.path)")] : []
    case .finishDeletion(let fence):
        return [effect("remove", fence.key, "\(fence.key)")]
    case .endRollback(let fence):
        return [effect("end", fence.key, "the rollback of \(fence.key.path)")]
    case .assign(let node, let assignment):
        return assignmentEffects(assignment, on: node, in: world).map { verb, text in
            effect(verb, planned.subject, text)
        }
    case .applyGit(let apply):
        return apply.objects.map { effect("apply", $0.key, "\($0.key) of \(apply.source.key)") }
    case .pruneGit(let prune):
        return prune.objects.map { effect("remove", $0.key, "\($0.key)") }
    case .record, .lookAtGit:
        return []
    }
}

/// `hello-00002 of default/hello (before: hello-00001)` where the write moves an app to another revision.
private func servingEffects(_ write: ObjectWrite, in world: World) -> [String] {
    guard let app = write.object as? App, let serving = app.status.servingRevision else {
        return []
    }
    let before = world.apps[write.key.path]?.object.status.servingRevision
    guard serving != before else { return [] }
    return ["\(serving) of \(write.key.path)" + (before.map { " (before: \($0))" } ?? "")]
}

/// What an assignment changes on a node against the one that it has.
private func assignmentEffects(
    _ assignment: NodeAssignment,
    on node: String,
    in world: World
) -> [(verb: String, text: String)] {
    let before = world.nodeViews[node]?.assigned ?? NodeAssignment()
    let oldRoutes = Dictionary(before.routes.hosts.map { ($0.host, $0) }, uniquingKeysWith: { first, _ in first })
    var effects: [(String, String)] = []
    for route in assignment.routes.hosts { effects += routeEffects(route, before: oldRoutes[route.host]) }
    let hosts = Set(assignment.routes.hosts.map(\.host))
    for host in oldRoutes.keys.sorted() where !hosts.contains(host) { effects.append(("unroute", host)) }
    effects += policyChanges(from: before.routes.policies, to: assignment.routes.policies)
    let oldFloors = Dictionary(
        before.revisions.map { ($0.key, $0.runnersMin) },
        uniquingKeysWith: { first, _ in first }
    )
    for revision in assignment.revisions where revision.runnersMin > oldFloors[revision.key, default: 0] {
        let running = world.readyRunners(of: revision.key)
        guard revision.runnersMin > running else { continue }
        effects.append(("start", "\(revision.runnersMin - running) runners of \(revision.key) on node \(node)"))
    }
    return effects
}

/// What changes of where a host's requests go: its own shares, then all its rules where one is new or their order is.
private func routeEffects(_ route: HostRoute, before: HostRoute?) -> [(verb: String, text: String)] {
    var effects: [(String, String)] = []
    if !route.backends.isEmpty, route.backends != before?.backends {
        effects.append(("route", "\(route.host) to \(shares(route.backends))"))
    }
    if let mirror = route.mirror, mirror != before?.mirror {
        effects.append(("mirror", "\(mirror.weight) % of \(route.host) to \(name(of: mirror))"))
    }
    if route.mirror == nil, before?.mirror != nil { effects.append(("unroute", "\(route.host) (mirror)")) }
    let old = before?.rules ?? []
    let isSame =
        old.count == route.rules.count
        && zip(old, route.rules).allSatisfy {
            ($0.matches, $0.backends) == ($1.matches, $1.backends)
        }
    guard !isSame else { return effects }
    for rule in route.rules {
        let who = rule.backends.isEmpty ? "nobody" : shares(rule.backends)
        effects.append(("route", "\(route.host) (\(rule.words)) to \(who)"))
    }
    for rule in old where !route.rules.contains(where: { $0.matches == rule.matches }) {
        effects.append(("unroute", "\(route.host) (\(rule.words))"))
    }
    return effects
}

/// `90 % hello-00002, 10 % hello-00001`.
private func shares(_ backends: [RouteBackend]) -> String {
    backends.map { "\($0.weight) % \(name(of: $0))" }.joined(separator: ", ")
}

/// `hello-00002`, or the address.
func name(of backend: RouteBackend) -> String {
    backend.revision.flatMap { $0.split(separator: "/").last.map(String.init) } ?? backend.address ?? "nothing"
}
