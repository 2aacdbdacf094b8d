// EdgePolicy: what clients may do at the edge: how often, how much, from where.

/// Bounds for the requests of some hosts, or of all that no other policy names.
package typealias EdgePolicy = Resource<EdgePolicySpec, EdgePolicyStatus>

/// `spec` of an EdgePolicy; cluster-scoped.
package struct EdgePolicySpec: ResourceSpec {
    package static let kind = "EdgePolicy"

    /// None: every host that no other policy names, and what is decided before a request names its host.
    package var hosts: [String] = []
    /// Where clients must be; empty: anywhere.
    package var allow: [String] = []
    /// Where clients must not be, `allow` or not.
    package var deny: [String] = []
    /// Requests of one client: an IPv4 address or an IPv6 network of 64 bits.
    package var clientRate: RequestRate?
    /// Requests of one host, all clients together.
    package var hostRate: RequestRate?
    /// Open connections of one client; only without `hosts`.
    package var connectionsPerClient: Int?
    package var limits = RequestLimits()
    package var deadlines = RequestDeadlines()

    package init() {}

    package static let shape: Shape<EdgePolicySpec> = Shape(
        "EdgePolicySpec",
        "What clients may do at the edge: how often, how much, from where.",
        fields: [
            .init(
                "hosts",
                \.hosts,
                default: [],
                "The hosts, without port; none: every host that no other policy names.",
                .distinctHosts,
                .unordered()
            ),
            .init(
                "allow",
                \.allow,
                default: [],
                "Addresses in CIDR form that clients must have; none: any. Others get 403.",
                .addressRanges,
                .unordered()
            ),
            .init(
                "deny",
                \.deny,
                default: [],
                "Addresses in CIDR form that clients must not have, allowed or not. They get 403.",
                .addressRanges,
                .unordered()
            ),
            .init(
                "clientRate",
                optional: \.clientRate,
                "How often one client may ask: an IPv4 address or an IPv6 network of 64 bits. Beyond: 429."
            ),
            .init("hostRate", optional: \.hostRate, "How often a host may be asked, by all together. Beyond: 429."),
            .init(
                "connectionsPerClient",
                optional: \.connectionsPerClient,
                "Open connections of one client; only in a policy without hosts.",
                .range(1...1_000_000)
            ),
            .init("limits", \.limits, default: RequestLimits(), "How large a request may be."),
            .init("deadlines", \.deadlines, default: RequestDeadlines(), "How slowly a request may come."),
        ],
        rules: [ShapeRule(checkScope)]
    )

    /// A policy for some hosts cannot bound what happens before a request has named its host.
    private static func checkScope(_ spec: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        guard !spec.hosts.isEmpty else { return }
        let early = [
            (spec.connectionsPerClient != nil, path["connectionsPerClient"]),
            (spec.limits.head != RequestLimits().head, path["limits"]["head"]),
            (spec.deadlines.head != RequestDeadlines().head, path["deadlines"]["head"]),
        ]
        for (isGiven, place) in early where isGiven {
            context.add(
                .invalid,
                at: place,
                "\(place): is decided before a request names its host; give it in a policy without hosts"
            )
        }
    }
}

/// So many requests in a time, more at once after a rest (a token bucket).
package struct RequestRate: Shaped {
    package var requests: Int = 0
    package var per: Duration = .seconds(1)
    /// Requests that may come at once; nil: `requests`.
    package var burst: Int?

    package init() {}

    package init(_ requests: Int, per: Duration = .seconds(1), burst: Int? = nil) {
        self.requests = requests
        self.per = per
        self.burst = burst
    }

    package static let shape: Shape<RequestRate> = Shape(
        "RequestRate",
        "So many requests in a time, more at once after a rest (a token bucket).",
        fields: [
            .init(required: "requests", \.requests, "Requests in that time.", .range(1...10_000_000)),
            .init(
                "per",
                \.per,
                default: .seconds(1),
                "The time.",
                .range(.milliseconds(100)...(.seconds(86_400)))
            ),
            .init(
                "burst",
                optional: \.burst,
                "Requests that may come at once after a rest; default: requests.",
                .range(1...10_000_000)
            ),
        ]
    )
}

/// How large a request may be.
package struct RequestLimits: Shaped {
    /// All lines of the head together.
    package var head: ByteQuantity = ByteQuantity(bytes: 16 << 10)
    /// The request target: path and query.
    package var target: ByteQuantity = ByteQuantity(bytes: 8 << 10)
    /// Nil: any size, since bodies are passed on and not held.
    package var body: ByteQuantity?

    package init() {}

    package static let shape: Shape<RequestLimits> = Shape(
        "RequestLimits",
        "How large a request may be.",
        fields: [
            .init(
                "head",
                \.head,
                default: ByteQuantity(bytes: 16 << 10),
                "All lines of the head together; beyond: 431. Only in a policy without hosts.",
                .range(ByteQuantity(bytes: 1 << 10)...ByteQuantity(bytes: 16 << 10))
            ),
            .init(
                "target",
                \.target,
                default: ByteQuantity(bytes: 8 << 10),
                "Path and query; beyond: 414.",
                .range(ByteQuantity(bytes: 16)...ByteQuantity(bytes: 8 << 10))
            ),
            .init(
                "body",
                optional: \.body,
                "The body; beyond: 413. Without it any size, since bodies are passed on as they come.",
                .range(ByteQuantity(bytes: 0)...(.mebibytes(1 << 24)))
            ),
        ]
    )
}

/// How slowly a request may come.
package struct RequestDeadlines: Shaped {
    /// From the first byte of a head to its last.
    package var head: Duration = .seconds(10)
    /// Bytes per second that a body must come with; nil: the app's request timeout is the only bound.
    package var bodyRate: ByteQuantity?
    /// How long a body may be slower at first.
    package var bodyGrace: Duration = .seconds(5)

    package init() {}

    package static let shape: Shape<RequestDeadlines> = Shape(
        "RequestDeadlines",
        "How slowly a request may come.",
        fields: [
            .init(
                "head",
                \.head,
                default: .seconds(10),
                "From the first byte of a head to its last; beyond: 408. Only in a policy without hosts.",
                .range(.milliseconds(100)...(.seconds(600)))
            ),
            .init(
                "bodyRate",
                optional: \.bodyRate,
                "Bytes per second that a body must come with while the app waits for it; below: 408.",
                .range(ByteQuantity(bytes: 1)...(.mebibytes(1024)))
            ),
            .init(
                "bodyGrace",
                \.bodyGrace,
                default: .seconds(5),
                "How long a body may be slower at first.",
                .range(.milliseconds(100)...(.seconds(600)))
            ),
        ]
    )
}

extension Constraint where Value == [String] {
    /// `ADDRESS` or `ADDRESS/BITS`, each of IPv4 or IPv6.
    fileprivate static var addressRanges: Constraint {
        .rule { ranges in
            guard let bad = ranges.first(where: { AddressRange($0) == nil }) else { return nil }
            return "\"\(bad)\" is not an address range; write 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32"
        }
    }
}

/// `status` of an EdgePolicy.
package struct EdgePolicyStatus: Shaped {
    package var observedGeneration: Int = 0
    /// `Ready`: the policy holds for every host that it names.
    package var conditions: [Condition] = []
    /// The hosts that this policy has; a host that an older policy names is missing.
    package var hosts: [String] = []

    package init() {}

    package static let shape: Shape<EdgePolicyStatus> = Shape(
        "EdgePolicyStatus",
        "What Meridian observes of a policy.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init("conditions", \.conditions, default: [], "Ready.", .keyed(by: "type")),
            .init("hosts", \.hosts, default: [], "The hosts that this policy has."),
        ]
    )
}
