// Routing: which host leads to which revisions.
package import MeridianModel

/// Every host of the platform, and what could not be routed as declared.
package struct Routing: Sendable, Equatable {
    /// Sorted by host, unique.
    ///
    /// The region is filled in per node.
    package var hosts: [HostRoute] = []
    /// What each split got, by `namespace/name`.
    package var splits: [String: SplitOutcome] = [:]
    /// What clients may do, in the order of the policies' names.
    package var policies: [RoutePolicy] = []
    /// The hosts that a policy names and an older one has, by policy and host: who has it.
    package var contestedHosts: [String: [String: String]] = [:]
    /// Revisions that some split names, by key path: they are kept.
    package var named: Set<String> = []
}

/// What became of one split.
package struct SplitOutcome: Sendable, Equatable {
    /// The hosts that it has.
    package var hosts: [String] = []
    /// What could not be done as declared, in words; empty where all is well.
    package var faults: [Fault] = []

    /// One thing that could not be done.
    package struct Fault: Sendable, Equatable {
        package let reason: String
        package let message: String
    }
}

/// The hosts of all apps and splits.
///
/// Default and per-revision hosts come first and stay; of two splits that claim one host the older has it.
package func routing(_ situations: [AppSituation], in world: World) -> Routing {
    var routing = Routing()
    var routes: [String: HostRoute] = [:]
    let apps = Dictionary(situations.map { ($0.key.path, $0) }, uniquingKeysWith: { first, _ in first })
    for situation in situations where !situation.isDeleting {
        for route in ownRoutes(of: situation) { routes[route.host] = route }
    }
    var claims: [String: String] = [:]
    let byAge = world.splits.map(\.object).filter { $0.metadata.deletionTimestamp == nil }.sorted {
        ($0.metadata.creationTimestamp ?? world.now, $0.key) < ($1.metadata.creationTimestamp ?? world.now, $1.key)
    }
    for split in byAge {
        var outcome = SplitOutcome()
        if let fault = world.certificateFault(of: split) { outcome.faults.append(fault) }
        let route = splitRoute(of: split, apps: apps, &outcome, named: &routing.named)
        for host in split.spec.hosts {
            if let fault = claimFault(host, of: split, routes: routes, claims: claims) {
                outcome.faults.append(fault)
            } else {
                claims[host] = split.key.path
                outcome.hosts.append(host)
                routes[host] = route.map { with(host: host, $0) }
            }
        }
        routing.splits[split.key.path] = outcome
    }
    claimPolicies(in: world, &routing)
    routing.hosts = routes.values.sorted { $0.host < $1.host }
    return routing
}

/// The default host of an app and one host per ready revision.
private func ownRoutes(of situation: AppSituation) -> [HostRoute] {
    let app = situation.app
    var base = HostRoute()
    base.app = app.key.path
    base.requestTimeout = app.spec.requestTimeout
    let defaultBackends = situation.serving.map { [RouteBackend(revision: $0.key.path, weight: 100)] } ?? []
    var main = with(host: defaultHost(of: app), base)
    main.backends = defaultBackends
    return [main]
        + situation.readyRevisions.map { revision in
            var route = with(host: "\(revision.metadata.name).\(app.metadata.namespace).localhost", base)
            route.backends = [RouteBackend(revision: revision.key.path, weight: 100)]
            return route
        }
}

/// The host that an app always has.
package func defaultHost(of app: App) -> String { "\(app.metadata.name).\(app.metadata.namespace).localhost" }

private func with(host: String, _ route: HostRoute) -> HostRoute {
    var route = route
    route.host = host
    return route
}

private func claimFault(
    _ host: String,
    of split: TrafficSplit,
    routes: [String: HostRoute],
    claims: [String: String]
) -> SplitOutcome.Fault? {
    if let owner = claims[host] {
        return .init(
            reason: "HostTaken",
            message: "host \(host) belongs to TrafficSplit \(owner), which is older. Give another host"
        )
    }
    guard routes[host] != nil else { return nil }
    return .init(
        reason: "HostReserved",
        message: "host \(host) is an app's or revision's own host. Give another host"
    )
}

/// The route that a split asks for; nil where its app does not exist.
private func splitRoute(
    of split: TrafficSplit,
    apps: [String: AppSituation],
    _ outcome: inout SplitOutcome,
    named: inout Set<String>
) -> HostRoute? {
    let namespace = split.metadata.namespace
    guard let situation = apps["\(namespace)/\(split.spec.app)"], !situation.isDeleting else {
        outcome.faults.append(
            .init(
                reason: "AppMissing",
                message: "spec.app: there is no App \"\(split.spec.app)\". Apply it or fix the name"
            )
        )
        return nil
    }
    var route = HostRoute()
    route.app = situation.key.path
    route.requestTimeout = situation.app.spec.requestTimeout
    route.secureOnly = split.spec.tls?.redirect ?? false
    route.stickyCookie = split.spec.sticky?.cookie
    route.stickyTTL = split.spec.sticky?.ttl ?? route.stickyTTL
    route.allowOverride = split.spec.allowOverride
    route.overrides = split.spec.allowOverride ? situation.readyRevisions.map(\.key.path) : []
    var shares: [RouteBackend] = []
    for (index, backend) in split.spec.backends.enumerated() {
        if let name = backend.revision, name != "latest" { named.insert("\(namespace)/\(name)") }
        switch resolve(backend, of: situation, apps: apps) {
        case .success(let share): shares.append(share)
        case .failure(let missing):
            outcome.faults.append(
                .init(reason: "BackendMissing", message: "spec.backends[\(index)]: \(missing.words)")
            )
        }
    }
    route.backends = sharedOut(shares)
    return route
}

private struct MissingBackend: Error { let words: String }

private func resolve(
    _ backend: SplitBackend,
    of situation: AppSituation,
    apps: [String: AppSituation]
) -> Result<RouteBackend, MissingBackend> {
    if let address = backend.address { return .success(RouteBackend(address: address, weight: backend.weight)) }
    let namespace = situation.app.metadata.namespace
    var owner = situation
    if let name = backend.app {
        guard let other = apps["\(namespace)/\(name)"], !other.isDeleting else {
            return .failure(MissingBackend(words: "there is no App \"\(name)\". Apply it or fix the name"))
        }
        owner = other
    }
    guard let name = backend.revision, name != "latest" else {
        guard let serving = owner.serving else {
            return .failure(MissingBackend(words: "app \(owner.key.path) has no revision that is ready yet"))
        }
        return .success(RouteBackend(revision: serving.key.path, weight: backend.weight))
    }
    guard let revision = owner.readyRevisions.first(where: { $0.metadata.name == name }) else {
        let known = owner.readyRevisions.map(\.metadata.name).joined(separator: ", ")
        return .failure(MissingBackend(words: "\(name) is no ready revision of \(owner.key.path); ready: \(known)"))
    }
    return .success(RouteBackend(revision: revision.key.path, weight: backend.weight))
}

/// The shares with one entry per backend and the weight of missing ones given to the others in proportion, so that
/// whole weights sum to 100 (largest remainder; the first of equals).
private func sharedOut(_ shares: [RouteBackend]) -> [RouteBackend] {
    var merged: [RouteBackend] = []
    for share in shares {
        let twin = merged.firstIndex { ($0.revision, $0.address) == (share.revision, share.address) }
        if let twin { merged[twin].weight += share.weight } else { merged.append(share) }
    }
    let sum = merged.reduce(0) { $0 + $1.weight }
    guard sum > 0, sum != 100 else { return sum == 100 ? merged : [] }
    let exact = merged.map { ($0.weight * 100 / sum, $0.weight * 100 % sum) }
    let missing = 100 - exact.reduce(0) { $0 + $1.0 }
    let order = exact.indices.sorted { (-exact[$0].1, $0) < (-exact[$1].1, $1) }
    for index in merged.indices { merged[index].weight = exact[index].0 }
    for index in order.prefix(missing) { merged[index].weight += 1 }
    return merged
}
