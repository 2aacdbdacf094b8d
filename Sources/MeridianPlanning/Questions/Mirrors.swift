// Mirrors: Node, Runner, Region and Revision objects that show what the nodes report.
import MeridianModel

/// The writes that make the mirror objects agree with the nodes' reports.
///
/// The runners of a node that does not answer stay as they were: silence is not absence.
package func mirrors(of world: World) -> Plan {
    var plan = Plan()
    for (name, view) in world.nodeViews.sorted(by: { $0.key < $1.key }) {
        plan.append(nodeMirror(name, view, in: world))
        if let report = view.report { plan.append(runnerMirrors(report, in: world)) }
    }
    // Before every node has been heard of, once, less is known than what the books say already.
    let hasHeard = world.nodeViews.values.allSatisfy { $0.report != nil || $0.isSilent }
    if hasHeard {
        for stored in world.regions { plan.append(regionStatus(stored, in: world)) }
    }
    guard world.nodesUnheard.isEmpty else { return plan }
    let denied = world.deniedSyscalls
    for stored in world.revisions {
        var status = stored.object.status
        status.readyRunners = world.readyRunners(of: stored.object.key.path)
        // A revision that still has something to settle is written by that step, not twice in one plan.
        guard world.activities[stored.object.key] == nil, status.conditions.condition("Ready") != nil else { continue }
        let names = denied[stored.object.key.path, default: []]
        let events = noteDenied(names, of: stored.object, in: &status, now: world.now)
        let why = events.isEmpty ? "its runners changed" : "its runners made denied syscalls"
        plan.append(statusWrite(of: stored, status, events: events, because: why))
    }
    return plan
}

private func nodeMirror(_ name: String, _ view: NodeView, in world: World) -> Plan {
    let existing = world.nodes[name]
    guard view.report != nil || view.isSilent else { return Plan() }
    var status = existing?.object.status ?? NodeStatus()
    var updates: [Condition] = []
    if let report = view.report {
        status.instance = report.instance
        status.edges = report.edges
        status.protections = report.protections
        status.runners = report.runners.count
        status.regions = world.regionNames.filter { world.serves(node: name, region: $0) }
        updates = [Condition("Ready", .isTrue, "Answering", "the node answers"), protected(report)]
    } else {
        updates = [
            Condition("Ready", .isFalse, "NotAnswering", "the node does not answer; it goes on with what it has")
        ]
    }
    status.conditions = status.conditions.setting(updates, generation: 1, now: world.now)
    guard let existing else {
        var node = Node(metadata: Metadata(name: name), spec: NodeSpec())
        node.status = status
        var plan = Plan()
        let write = ObjectWrite(node, replaces: nil)
        plan.add(.write(write), for: node.key, because: "the node is new")
        return plan
    }
    let before = existing.object.status.conditions.condition("Ready")?.status
    let now = status.conditions.condition("Ready")
    let event = EventDraft(
        existing.object.key,
        uid: existing.object.metadata.uid,
        now?.status == .isTrue ? .normal : .warning,
        now?.reason ?? "",
        now?.message ?? ""
    )
    return statusWrite(
        of: existing,
        status,
        events: before == now?.status ? [] : [event],
        because: "its report changed"
    )
}

/// Whether every protection is in force: a node says `none…`, `missing…` or `OFF…` of one that is not.
private func protected(_ report: NodeReport) -> Condition {
    let absent = report.protections.filter { protection in
        ["none", "missing", "OFF"].contains { protection.value.hasPrefix($0) }
    }
    guard !absent.isEmpty else { return Condition("Protected", .isTrue, "AllInForce", "every protection is in force") }
    let words = absent.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
    return Condition("Protected", .isFalse, "ProtectionMissing", words)
}

private func runnerMirrors(_ report: NodeReport, in world: World) -> Plan {
    var plan = Plan()
    var reported: Set<String> = []
    for one in report.runners {
        let parts = one.revision.split(separator: "/").map(String.init)
        guard parts.count == 2 else { continue }
        let key = ObjectKey(kind: RunnerSpec.kind, namespace: parts[0], name: one.id)
        reported.insert(key.path)
        let existing = world.runners[key.path]
        var runner =
            existing?.object ?? Runner(metadata: Metadata(name: one.id, namespace: parts[0]), spec: RunnerSpec())
        let app = RevisionName(parts[1])?.app ?? parts[1]
        runner.metadata.labels = ["app": app, "revision": parts[1]]
        runner.spec.app = app
        runner.spec.revision = parts[1]
        runner.spec.node = report.node
        runner.status.state = one.state
        runner.status.pid = one.pid
        runner.status.startedAt = one.startedAt
        guard runner != existing?.object else { continue }
        let write = ObjectWrite(runner, replaces: existing?.modRevision)
        plan.add(.write(write), for: key, because: "node \(report.node) reports it \(one.state.rawValue)")
    }
    for stored in world.runners where stored.object.spec.node == report.node {
        guard !reported.contains(stored.object.key.path) else { continue }
        plan.add(.delete(Fence(stored)), for: stored.object.key, because: "node \(report.node) no longer reports it")
    }
    return plan
}

private func regionStatus(_ stored: Stored<Region>, in world: World) -> Plan {
    let region = stored.object
    let serving = world.nodeViews.filter { $0.value.report != nil }.keys.sorted()
        .filter { world.serves(node: $0, region: region.metadata.name) }
    var status = region.status
    status.observedGeneration = region.metadata.generation
    let condition =
        serving.isEmpty
        ? Condition("Ready", .isFalse, "NoNode", "no node that answers serves the region")
        : Condition("Ready", .isTrue, "Served", "served by \(serving.joined(separator: ", "))")
    status.conditions = status.conditions.setting([condition], generation: region.metadata.generation, now: world.now)
    return statusWrite(of: stored, status, because: condition.message)
}

extension World {
    /// The names of all regions, sorted; `local` always exists.
    var regionNames: [String] {
        Set(regions.map(\.object.metadata.name)).union([RegionSpec.localName]).sorted()
    }
}
