// RoutePacking: the checks of a route table and the collection of its packed form.
internal import MeridianModel

/// A compiled table under construction.
struct RoutePacking {
    private(set) var slots: [RouteSlot] = []
    private(set) var regions: [String] = []
    private var slotIndices: [RouteSlot: Int32] = [:]
    private var seen: Set<String> = []
    private var text: [UInt8] = []
    private var hosts: [RouteView.Host] = []
    private var plans: [RouteView.Plan] = []
    private var planIndices: [PlanKey: Int32] = [:]
    private var backends: [RouteView.Backend] = []
    /// In the order of the table.
    let rules: [RoutePolicy]
    /// The index of the policy without hosts.
    let standing: Int32?
    private let rulesByHost: [String: Int32]

    /// A table without hosts yet.
    ///
    /// Throws where two policies have one host, or none.
    init(policies: [RoutePolicy]) throws(RouteTableError) {
        rules = policies
        var byHost: [String: Int32] = [:]
        var standing: Int32?
        for (index, policy) in policies.enumerated() {
            if policy.rules.hosts.isEmpty {
                guard standing == nil else { throw Self.twice(policy, "*", "has no hosts, as another one") }
                standing = Int32(index)
            }
            for host in policy.rules.hosts where byHost.updateValue(Int32(index), forKey: host) != nil {
                throw Self.twice(policy, host, "has a host of another one")
            }
        }
        rulesByHost = byHost
        self.standing = standing
    }

    private static func twice(_ policy: RoutePolicy, _ host: String, _ words: String) -> RouteTableError {
        RouteTableError(code: .badPolicy, host: host, message: "EdgePolicy \(policy.name) \(words); name each once")
    }

    /// Adds one host after checking it.
    mutating func add(_ route: HostRoute) throws(RouteTableError) {
        try check(route)
        var host = RouteView.Host()
        host.name = span(route.host)
        host.hash = hash(route.host)
        host.plan = try plan(of: route)
        hosts.append(host)
        let plan = plans[Int(host.plan)]
        noteRegion(of: route, backends[Int(plan.backends.lowerBound)..<Int(plan.backends.upperBound)])
    }

    /// The plan of a route; routes that differ in their hosts only share one.
    private mutating func plan(of route: HostRoute) throws(RouteTableError) -> Int32 {
        let rules = rulesByHost[route.host] ?? standing ?? -1
        let key = PlanKey(route, rules: rules)
        if let known = planIndices[key] { return known }
        var plan = RouteView.Plan()
        plan.timeoutMilliseconds = route.requestTimeout.wholeMilliseconds
        plan.allowsOverride = route.allowOverride
        plan.isSecureOnly = route.secureOnly
        plan.rules = rules
        plan.cookie = span(route.stickyCookie ?? "")
        let first = Int32(backends.count)
        var cumulative: Int32 = 0
        for backend in route.backends {
            cumulative += Int32(backend.weight)
            try append(backend, of: route, cumulative: cumulative)
        }
        plan.backends = first..<Int32(backends.count)
        for name in route.overrides { appendOverride(name, of: route) }
        plan.overrides = plan.backends.upperBound..<Int32(backends.count)
        let index = Int32(plans.count)
        plans.append(plan)
        planIndices[key] = index
        return index
    }

    /// Bytes of the packed memory.
    var byteCount: Int {
        text.count + hosts.count * MemoryLayout<RouteView.Host>.stride
            + plans.count * MemoryLayout<RouteView.Plan>.stride
            + backends.count * MemoryLayout<RouteView.Backend>.stride + bucketCount * MemoryLayout<Int32>.stride
    }

    /// A power of two, so that at most half of the buckets are taken.
    private var bucketCount: Int {
        var count = 8
        while count < hosts.count * 2 { count *= 2 }
        return count
    }

    /// The packed memory; the caller owns it and frees each part once.
    func packed() -> RouteView {
        let capacity = bucketCount
        let buckets = UnsafeMutablePointer<Int32>.allocate(capacity: capacity)
        buckets.initialize(repeating: -1, count: capacity)
        for (index, host) in hosts.enumerated() {
            var bucket = Int(host.hash) & (capacity - 1)
            while buckets[bucket] >= 0 { bucket = (bucket + 1) & (capacity - 1) }
            buckets[bucket] = Int32(index)
        }
        return RouteView(
            text: copied(text),
            hosts: copied(hosts),
            plans: copied(plans),
            backends: copied(backends),
            buckets: buckets,
            bucketMask: capacity - 1
        )
    }

    private mutating func check(_ route: HostRoute) throws(RouteTableError) {
        func fault(_ code: RouteTableError.Code, _ message: String) -> RouteTableError {
            RouteTableError(code: code, host: route.host, message: message)
        }
        guard isHostName(route.host) else {
            throw fault(.badHost, "is not a host name: use lower-case DNS labels joined by dots, without a port")
        }
        guard seen.insert(route.host).inserted else { throw fault(.duplicateHost, "stands twice; name each host once") }
        guard route.backends.allSatisfy({ (0...100).contains($0.weight) }) else {
            throw fault(.badWeight, "a weight is outside 0 to 100; give whole percents")
        }
        let sum = route.backends.reduce(0) { $0 + $1.weight }
        guard route.backends.isEmpty || sum == 100 else {
            throw fault(.weightsDoNotSum, "the weights sum to \(sum); make them sum to 100")
        }
        if let cookie = route.stickyCookie, cookie.isEmpty || !cookie.utf8.allSatisfy(isCookieNameByte) {
            throw fault(.badCookie, "\"\(cookie)\" is not a cookie name; use letters, digits, - and _")
        }
    }

    private mutating func append(
        _ backend: RouteBackend,
        of route: HostRoute,
        cumulative: Int32
    ) throws(RouteTableError) {
        func fault(_ code: RouteTableError.Code, _ message: String) -> RouteTableError {
            RouteTableError(code: code, host: route.host, message: message)
        }
        let slot: RouteSlot
        let name: String
        switch (backend.revision, backend.address) {
        case (let key?, nil) where !key.isEmpty:
            slot = .revision(key)
            name = revisionName(key)
        case (nil, let address?):
            guard let parsed = NumericAddress(address) else {
                throw fault(.badAddress, "\"\(address)\" is not an address: give 1.2.3.4:80 or [2001:db8::1]:80")
            }
            slot = .address(parsed)
            name = address
        default:
            throw fault(.badBackend, "a backend needs either a revision or an address; give exactly one")
        }
        var entry = RouteView.Backend()
        entry.slot = index(of: slot)
        entry.name = span(name)
        entry.weight = Int32(backend.weight)
        entry.cumulative = cumulative
        if let cookie = route.stickyCookie {
            let age = route.stickyTTL.wholeMilliseconds / 1000
            entry.setCookie = span("\(cookie)=\(name); Path=/; Max-Age=\(age); HttpOnly; SameSite=Lax")
        }
        backends.append(entry)
    }

    /// Notes where the backends of a host are served.
    ///
    /// A host with one backend is the app's or the revision's own, and knows best; a split may name other apps.
    private mutating func noteRegion(of route: HostRoute, _ added: ArraySlice<RouteView.Backend>) {
        guard let region = route.region else { return }
        for backend in added where added.count == 1 || regions[Int(backend.slot)].isEmpty {
            regions[Int(backend.slot)] = region
        }
    }

    /// Adds a revision that the override header may name; a bare name stands in the app's namespace.
    private mutating func appendOverride(_ name: String, of route: HostRoute) {
        let namespace = route.app.prefix { $0 != "/" }
        var entry = RouteView.Backend()
        entry.slot = index(of: .revision(name.contains("/") ? name : "\(namespace)/\(name)"))
        entry.name = span(revisionName(name))
        backends.append(entry)
    }

    private mutating func index(of slot: RouteSlot) -> Int32 {
        if let known = slotIndices[slot] { return known }
        let index = Int32(slots.count)
        slots.append(slot)
        regions.append("")
        slotIndices[slot] = index
        return index
    }

    private mutating func span(_ string: String) -> RouteView.Span {
        let offset = Int32(text.count)
        text.append(contentsOf: string.utf8)
        return RouteView.Span(offset: offset, count: Int32(text.count) - offset)
    }

    private func hash(_ host: String) -> UInt32 {
        Array(host.utf8).withUnsafeBufferPointer { RouteView.hash($0, $0.count) }
    }

    private func copied<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (index, element) in elements.enumerated() { (memory + index).initialize(to: element) }
        return memory
    }
}

/// What distinguishes the plans of two routes.
private struct PlanKey: Hashable {
    private struct Share: Hashable {
        let revision: String?
        let address: String?
        let weight: Int
    }

    private let app: String
    private let shares: [Share]
    private let stickyCookie: String?
    private let stickyTTL: Duration
    private let allowOverride: Bool
    private let overrides: [String]
    private let requestTimeout: Duration
    private let secureOnly: Bool
    private let rules: Int32

    init(_ route: HostRoute, rules: Int32) {
        self.rules = rules
        app = route.app
        shares = route.backends.map { Share(revision: $0.revision, address: $0.address, weight: $0.weight) }
        stickyCookie = route.stickyCookie
        stickyTTL = route.stickyTTL
        allowOverride = route.allowOverride
        overrides = route.overrides
        requestTimeout = route.requestTimeout
        secureOnly = route.secureOnly
    }
}

/// The name of a revision without its namespace: `hello-00003` of `default/hello-00003`.
package func revisionName(_ key: String) -> String {
    key.firstIndex(of: "/").map { String(key[key.index(after: $0)...]) } ?? key
}

private func isCookieNameByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
        || byte == 0x5F || byte == 0x2E
}
