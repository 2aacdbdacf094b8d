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
        var resolving = SplitResolving(split, apps: apps, in: world)
        let route = resolving.route()
        outcome.faults += resolving.faults
        routing.named.formUnion(resolving.named)
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
