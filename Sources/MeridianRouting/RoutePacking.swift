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
    var choices: [RouteView.Choice] = []
    var rules: [RouteView.Rule] = []
    var matches: [RouteView.Match] = []
    var conditions: [RouteView.Condition] = []
    var points: [Int32] = []
    var backends: [RouteView.Backend] = []
    /// In the order of the table.
    let policies: [RoutePolicy]
    /// The index of the policy without hosts.
    let standing: Int32?
    private let policiesByHost: [String: Int32]

    /// A table without hosts yet.
    ///
    /// Throws where two policies have one host, or none.
    init(policies: [RoutePolicy]) throws(RouteTableError) {
        self.policies = policies
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
        policiesByHost = byHost
        self.standing = standing
    }

    private static func twice(_ policy: RoutePolicy, _ host: String, _ words: String) -> RouteTableError {
        RouteTableError(code: .badPolicy, host: host, message: "EdgePolicy \(policy.name) \(words); name each once")
    }

    /// Adds one host after checking it.
    mutating func add(_ route: HostRoute) throws(RouteTableError) {
        try check(route)
        guard seen.insert(route.host).inserted else {
            throw RouteTableError(code: .duplicateHost, host: route.host, message: "stands twice; name each host once")
        }
        var host = RouteView.Host()
        host.name = span(route.host)
        host.hash = hash(route.host)
        host.plan = try plan(of: route)
        hosts.append(host)
        noteRegion(of: route, plans[Int(host.plan)])
    }

    /// The plan of a route; routes that differ in their hosts only share one.
    private mutating func plan(of route: HostRoute) throws(RouteTableError) -> Int32 {
        let policy = policiesByHost[route.host] ?? standing ?? -1
        var key = PlanKey(route: route, policy: policy)
        key.route.host = ""
        if let known = planIndices[key] { return known }
        var plan = RouteView.Plan()
        plan.timeoutMilliseconds = route.requestTimeout.wholeMilliseconds
        plan.allowsOverride = route.allowOverride
        plan.isSecureOnly = route.secureOnly
        plan.policy = policy
        plan.choice = try choice(of: route)
        plan.rules = try rules(of: route)
        plan.looksAtHead = !plan.rules.isEmpty || route.stickyHeader != nil
        if let mirror = route.mirror {
            plan.mirror = index(of: try slot(of: mirror, in: route))
            plan.mirrorWeight = Int32(mirror.weight)
        }
        let first = Int32(backends.count)
        for name in route.overrides { append(revision: name, of: route) }
        plan.overrides = first..<Int32(backends.count)
        let index = Int32(plans.count)
        plans.append(plan)
        planIndices[key] = index
        return index
    }

    /// Bytes of the packed memory.
    var byteCount: Int {
        text.count + hosts.count * MemoryLayout<RouteView.Host>.stride
            + plans.count * MemoryLayout<RouteView.Plan>.stride
            + choices.count * MemoryLayout<RouteView.Choice>.stride
            + rules.count * MemoryLayout<RouteView.Rule>.stride
            + matches.count * MemoryLayout<RouteView.Match>.stride
            + conditions.count * MemoryLayout<RouteView.Condition>.stride + points.count * MemoryLayout<Int32>.stride
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
            choices: copied(choices),
            rules: copied(rules),
            matches: copied(matches),
            conditions: copied(conditions),
            points: copied(points),
            backends: copied(backends),
            buckets: buckets,
            bucketMask: capacity - 1
        )
    }

    /// Notes where the backends of a host are served.
    ///
    /// A host with one backend is the app's or the revision's own, and knows best; a split may name other apps.
    private mutating func noteRegion(of route: HostRoute, _ plan: RouteView.Plan) {
        guard let region = route.region else { return }
        let isOwn = route.rules.isEmpty && choices[Int(plan.choice)].backends.count == 1
        if plan.mirror >= 0 { note(region, of: plan.mirror, isOwn: false) }
        let others = plan.rules.map { rules[Int($0)].choice }
        for choice in [plan.choice] + others {
            for backend in choices[Int(choice)].backends { note(region, of: backends[Int(backend)].slot, isOwn: isOwn) }
            for backend in choices[Int(choice)].kept { note(region, of: backends[Int(backend)].slot, isOwn: false) }
        }
    }

    private mutating func note(_ region: String, of slot: Int32, isOwn: Bool) {
        if isOwn || regions[Int(slot)].isEmpty { regions[Int(slot)] = region }
    }

    mutating func index(of slot: RouteSlot) -> Int32 {
        if let known = slotIndices[slot] { return known }
        let index = Int32(slots.count)
        slots.append(slot)
        regions.append("")
        slotIndices[slot] = index
        return index
    }

    mutating func span(_ string: String) -> RouteView.Span {
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

/// What distinguishes the plans of two hosts.
private struct PlanKey: Hashable {
    /// Without its host.
    var route: HostRoute
    let policy: Int32
}

/// The name of a revision without its namespace: `hello-00003` of `default/hello-00003`.
package func revisionName(_ key: String) -> String {
    key.firstIndex(of: "/").map { String(key[key.index(after: $0)...]) } ?? key
}
