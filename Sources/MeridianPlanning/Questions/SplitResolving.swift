// SplitResolving: a split with its words resolved: latest revisions, other apps, regions, and who stays where.
import MeridianModel

/// Makes the route of one split, noting what cannot be done as declared.
struct SplitResolving {
    private let split: TrafficSplit
    private let apps: [String: AppSituation]
    private let world: World
    private(set) var faults: [SplitOutcome.Fault] = []
    /// Revisions that the split names, by key path.
    private(set) var named: Set<String> = []

    /// - Parameters:
    ///   - split: what is declared.
    ///   - apps: every app by `namespace/name`.
    ///   - world: where regions are looked up.
    init(_ split: TrafficSplit, apps: [String: AppSituation], in world: World) {
        self.split = split
        self.apps = apps
        self.world = world
    }

    /// The route that the split asks for, without a host; nil where its app does not exist.
    mutating func route() -> HostRoute? {
        let namespace = split.metadata.namespace
        guard let situation = apps["\(namespace)/\(split.spec.app)"], !situation.isDeleting else {
            fault("AppMissing", "spec.app: there is no App \"\(split.spec.app)\". Apply it or fix the name")
            return nil
        }
        var route = HostRoute()
        route.app = situation.key.path
        route.requestTimeout = situation.app.spec.requestTimeout
        route.secureOnly = split.spec.tls?.redirect ?? false
        route.allowOverride = split.spec.allowOverride
        route.overrides = split.spec.allowOverride ? situation.readyRevisions.map(\.key.path) : []
        route.stickyHeader = split.spec.sticky?.header?.lowercased()
        route.stickyTTL = split.spec.sticky.map { $0.maxAge ?? $0.ttl ?? StickySettings.defaultTTL } ?? route.stickyTTL
        route.stickyCookie = split.spec.sticky?.cookieName
        route.backends = shares(split.spec.backends, of: situation, at: FieldPath("spec", "backends"))
        route.kept = kept(route.backends)
        route.rules = split.spec.rules.enumerated().compactMap { index, rule in
            self.rule(rule, of: situation, at: FieldPath("spec", "rules")[index])
        }
        route.mirror = split.spec.mirror.flatMap { share($0, of: situation, at: FieldPath("spec", "mirror")) }
        return route
    }

    private mutating func fault(_ reason: String, _ message: String) {
        faults.append(SplitOutcome.Fault(reason: reason, message: message))
    }

    // MARK: Rules

    /// A rule in the words of the route table; nil where none of its matches can hold.
    private mutating func rule(_ rule: SplitRule, of situation: AppSituation, at path: FieldPath) -> RouteRule? {
        var route = RouteRule()
        for (index, match) in rule.matches.enumerated() {
            if let match = resolved(match, at: path["matches"][index]) { route.matches.append(match) }
        }
        route.backends = shares(rule.backends, of: situation, at: path["backends"])
        guard rule.matches.isEmpty || !route.matches.isEmpty else { return nil }
        route.kept = kept(route.backends)
        route.stickyCookie = split.spec.sticky?.cookieName.map { "\($0)-\(shortHash(of: route.words))" }
        return route
    }

    private mutating func resolved(_ match: RequestMatch, at path: FieldPath) -> RequestMatch? {
        var match = match.canonical
        guard let word = match.region else { return match }
        guard let region = world.region(named: word) else {
            fault("RegionMissing", "\(path["region"]): there is no Region \"\(word)\". Apply it or fix the name")
            return nil
        }
        match.region = region
        return match
    }

    // MARK: Backends

    private mutating func shares(
        _ backends: [SplitBackend],
        of situation: AppSituation,
        at path: FieldPath
    ) -> [RouteBackend] {
        var shares: [RouteBackend] = []
        for (index, backend) in backends.enumerated() {
            if let share = share(backend, of: situation, at: path[index]) { shares.append(share) }
        }
        return sharedOut(shares)
    }

    private mutating func share(
        _ backend: SplitBackend,
        of situation: AppSituation,
        at path: FieldPath
    ) -> RouteBackend? {
        if let name = backend.revision, name != "latest" { named.insert("\(split.metadata.namespace)/\(name)") }
        switch resolve(backend, of: situation) {
        case .success(let share): return share
        case .failure(let missing):
            fault("BackendMissing", "\(path): \(missing.words)")
            return nil
        }
    }

    private struct MissingBackend: Error { let words: String }

    private func resolve(_ backend: SplitBackend, of situation: AppSituation) -> Result<RouteBackend, MissingBackend> {
        if let address = backend.address { return .success(RouteBackend(address: address, weight: backend.weight)) }
        var owner = situation
        if let name = backend.app {
            guard let other = apps["\(split.metadata.namespace)/\(name)"], !other.isDeleting else {
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
            return .failure(
                MissingBackend(words: "\(name) is no ready revision of \(owner.key.path); ready: \(known)")
            )
        }
        return .success(RouteBackend(revision: revision.key.path, weight: backend.weight))
    }

    // MARK: Skew protection

    /// The ready revisions, without a share, of the apps behind `shares`, where the split keeps clients on them.
    ///
    /// A rollback leaves nobody on what it goes back from.
    private func kept(_ shares: [RouteBackend]) -> [String] {
        guard split.spec.sticky?.maxAge != nil else { return [] }
        let serving = Set(shares.filter { $0.weight > 0 }.compactMap(\.revision))
        let owners = apps.values.filter { owner in
            owner.readyRevisions.contains { serving.contains($0.key.path) }
        }
        return owners.flatMap { owner in
            let end = owner.pinned?.metadata.name
            return owner.readyRevisions.filter { end == nil || $0.metadata.name <= end ?? "" }.map(\.key.path)
        }.filter { !serving.contains($0) }.sorted()
    }
}

extension StickySettings {
    /// The cookie that keeps a client; nil where a header does.
    fileprivate var cookieName: String? { header == nil ? cookie ?? Self.defaultCookie : nil }
}

/// Eight hexadecimal digits that tell rules apart whatever their order (FNV-1a).
private func shortHash(of words: String) -> String {
    var hash: UInt32 = 2_166_136_261
    for byte in words.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
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
