// EdgePolicies: which policy has which hosts, and what its status says.
import MeridianModel

/// Gives every host that policies name to the oldest of them, and what no policy names to the oldest without hosts.
func claimPolicies(in world: World, _ routing: inout Routing) {
    var owners: [String: String] = [:]
    let byAge = world.policies.map(\.object).filter { $0.metadata.deletionTimestamp == nil }.sorted {
        ($0.metadata.creationTimestamp ?? world.now, $0.key) < ($1.metadata.creationTimestamp ?? world.now, $1.key)
    }
    for policy in byAge {
        let name = policy.metadata.name
        var rules = policy.spec
        var contested: [String: String] = [:]
        // What no policy names is claimed like a host, under a name that no host has.
        for host in rules.hosts.isEmpty ? [otherHosts] : rules.hosts {
            if let owner = owners[host] { contested[host] = owner } else { owners[host] = name }
        }
        rules.hosts.removeAll { contested[$0] != nil }
        routing.contestedHosts[name] = contested
        let hasNothing = contested.count == max(1, policy.spec.hosts.count)
        if !hasNothing { routing.policies.append(RoutePolicy(name: name, rules: rules)) }
    }
    routing.policies.sort { $0.name < $1.name }
}

/// Every host that no policy names.
private let otherHosts = "*"

/// The writes of policies' statuses where they changed.
func policyStatuses(_ routes: Routing, in world: World) -> Plan {
    var plan = Plan()
    let policies = Dictionary(routes.policies.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for stored in world.policies {
        let policy = stored.object
        guard let contested = routes.contestedHosts[policy.metadata.name] else { continue }
        let rules = policies[policy.metadata.name]?.rules
        var status = policy.status
        status.observedGeneration = policy.metadata.generation
        status.hosts = rules?.hosts ?? []
        let condition = policyCondition(contested, hasHosts: rules != nil)
        status.conditions = status.conditions.setting(
            [condition],
            generation: policy.metadata.generation,
            now: world.now
        )
        let events = news(condition, before: policy.status.conditions, of: policy)
        plan.append(statusWrite(of: stored, status, events: events, because: condition.message))
    }
    return plan
}

private func policyCondition(_ contested: [String: String], hasHosts: Bool) -> Condition {
    guard !contested.isEmpty else {
        return Condition("Ready", .isTrue, "Applied", "the edges hold clients to it")
    }
    let words = contested.sorted { $0.key < $1.key }.map { host, owner in
        host == otherHosts
            ? "EdgePolicy \(owner), which is older, has no hosts either; give hosts, or delete one of the two"
            : "host \(host) belongs to EdgePolicy \(owner), which is older. Give another host"
    }
    return Condition("Ready", .isFalse, hasHosts ? "HostTaken" : "NothingLeft", words.joined(separator: "; "))
}

/// What clients may do differently, in words.
func policyChanges(from before: [RoutePolicy], to after: [RoutePolicy]) -> [(verb: String, text: String)] {
    let old = Dictionary(before.map { ($0.name, $0.rules) }, uniquingKeysWith: { first, _ in first })
    let new = Set(after.map(\.name))
    let changed = after.filter { old[$0.name] != $0.rules }.map { (verb: "protect", text: words(for: $0)) }
    return changed + before.filter { !new.contains($0.name) }.map { (verb: "expose", text: words(for: $0)) }
}

private func words(for policy: RoutePolicy) -> String {
    let hosts = policy.rules.hosts.isEmpty ? "every other host" : policy.rules.hosts.joined(separator: ", ")
    return "\(hosts) (EdgePolicy \(policy.name))"
}
