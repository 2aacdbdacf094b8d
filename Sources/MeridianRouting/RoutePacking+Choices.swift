// RoutePacking+Choices: who answers the requests of a host, by its rules and its shares, in packed form.
internal import MeridianModel

extension RoutePacking {
    /// Packs the host's own shares.
    mutating func choice(of route: HostRoute) throws(RouteTableError) -> Int32 {
        try choice(of: route, route.backends, cookie: route.stickyCookie, kept: route.kept)
    }

    /// Packs the rules that can match in the host's region, in their order.
    mutating func rules(of route: HostRoute) throws(RouteTableError) -> Range<Int32> {
        var packed: [RouteView.Rule] = []
        for rule in route.rules {
            // The region of a host is fixed, so that what another region matches costs a request nothing.
            let here = rule.matches.filter { $0.region == nil || $0.region == route.region }
            guard rule.matches.isEmpty || !here.isEmpty else { continue }
            var entry = RouteView.Rule()
            if !here.contains(where: { $0.isEverythingHere }) { entry.matches = append(here) }
            entry.choice = try choice(of: route, rule.backends, cookie: rule.stickyCookie, kept: rule.kept)
            packed.append(entry)
        }
        let first = Int32(rules.count)
        rules += packed
        return first..<Int32(rules.count)
    }

    private mutating func append(_ all: [RequestMatch]) -> Range<Int32> {
        let first = Int32(matches.count)
        for match in all {
            var entry = RouteView.Match()
            entry.method = span(match.method ?? "")
            entry.path = span(match.pathPrefix ?? "")
            let begin = Int32(conditions.count)
            for header in match.headers { append(header, isCookie: false) }
            for cookie in match.cookies { append(cookie, isCookie: true) }
            entry.conditions = begin..<Int32(conditions.count)
            matches.append(entry)
        }
        return first..<Int32(matches.count)
    }

    private mutating func append(_ value: ValueMatch, isCookie: Bool) {
        var condition = RouteView.Condition()
        condition.name = span(value.name)
        condition.value = span(value.exact ?? value.prefix ?? "")
        condition.kind = value.exact != nil ? .exact : value.prefix != nil ? .prefix : .present
        condition.isCookie = isCookie
        conditions.append(condition)
    }

    private mutating func choice(
        of route: HostRoute,
        _ shares: [RouteBackend],
        cookie: String?,
        kept: [String]
    ) throws(RouteTableError) -> Int32 {
        var choice = RouteView.Choice()
        choice.cookie = span(cookie ?? "")
        let first = Int32(backends.count)
        var cumulative: Int32 = 0
        for share in shares {
            cumulative += Int32(share.weight)
            try append(share, of: route, cookie: cookie, cumulative: cumulative)
        }
        choice.backends = first..<Int32(backends.count)
        for name in kept { append(revision: name, of: route) }
        choice.kept = choice.backends.upperBound..<Int32(backends.count)
        if let header = route.stickyHeader, !shares.isEmpty {
            choice.header = span(header)
            choice.points = Int32(points.count)
            let named = shares.map { (name: $0.revision ?? $0.address ?? "", weight: $0.weight) }
            points += StickyPoints.owners(named).map { first + Int32($0) }
        }
        choices.append(choice)
        return Int32(choices.count) - 1
    }

    private mutating func append(
        _ backend: RouteBackend,
        of route: HostRoute,
        cookie: String?,
        cumulative: Int32
    ) throws(RouteTableError) {
        let name = backend.revision.map(revisionName) ?? backend.address ?? ""
        var entry = RouteView.Backend()
        entry.slot = index(of: try slot(of: backend, in: route))
        entry.name = span(name)
        entry.weight = Int32(backend.weight)
        entry.cumulative = cumulative
        if let cookie {
            // The value is no secret and grants nothing: whoever makes one up keeps himself on a revision that answers
            // at its own host anyway. SameSite=Lax lets a link from elsewhere arrive at the client's revision.
            let age = route.stickyTTL.wholeMilliseconds / 1000
            entry.setCookie = span("\(cookie)=\(name); Path=/; Max-Age=\(age); HttpOnly; SameSite=Lax")
        }
        backends.append(entry)
    }

    /// Where a backend leads.
    func slot(of backend: RouteBackend, in route: HostRoute) throws(RouteTableError) -> RouteSlot {
        switch (backend.revision, backend.address) {
        case (let key?, nil) where !key.isEmpty: return .revision(key)
        case (nil, let address?):
            guard let parsed = NumericAddress(address) else {
                throw route.fault(
                    .badAddress,
                    "\"\(address)\" is not an address: give 1.2.3.4:80 or [2001:db8::1]:80"
                )
            }
            return .address(parsed)
        default:
            throw route.fault(.badBackend, "a backend needs either a revision or an address; give exactly one")
        }
    }

    /// Adds a revision that is chosen by its name only; a bare name stands in the app's namespace.
    mutating func append(revision name: String, of route: HostRoute) {
        let namespace = route.app.prefix { $0 != "/" }
        var entry = RouteView.Backend()
        entry.slot = index(of: .revision(name.contains("/") ? name : "\(namespace)/\(name)"))
        entry.name = span(revisionName(name))
        backends.append(entry)
    }
}

extension RequestMatch {
    /// Whether every request that is served in the match's region matches.
    fileprivate var isEverythingHere: Bool {
        var match = self
        match.region = nil
        return match.isEverything
    }
}
