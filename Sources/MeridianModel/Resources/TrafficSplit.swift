// TrafficSplit: hosts, and which revisions get which share of their requests.

/// Hosts and who answers them.
package typealias TrafficSplit = Resource<TrafficSplitSpec, TrafficSplitStatus>

/// `spec` of a TrafficSplit.
package struct TrafficSplitSpec: ResourceSpec {
    package static let kind = "TrafficSplit"

    /// The app whose revisions `revision` backends name.
    package var app: String = ""
    package var hosts: [String] = []
    package var backends: [SplitBackend] = []
    /// The first that matches decides; none: `backends`.
    package var rules: [SplitRule] = []
    /// Gets copies of requests; its weight is the share that is copied.
    package var mirror: SplitBackend?
    package var sticky: StickySettings?
    package var allowOverride: Bool = false
    package var tls: TLSSettings?

    package init() {}

    package static let shape: Shape<TrafficSplitSpec> = Shape(
        "TrafficSplitSpec",
        "Hosts and which revisions get which share of their requests.",
        fields: [
            .init(required: "app", \.app, "The app whose revisions the backends name.", .dnsLabel(atMost: 52)),
            .init(required: "hosts", \.hosts, "The hosts, without port.", .hosts, .unordered()),
            .init(required: "backends", \.backends, "Who answers; weights are whole and sum to 100."),
            .init(
                "rules",
                \.rules,
                default: [],
                "Requests with backends of their own: the first rule that matches decides; none: the backends.",
                .atMost(SplitRule.rulesMax)
            ),
            .init(
                "mirror",
                optional: \.mirror,
                "Gets a copy of its weight's percent of the requests, head and body up to 48 KiB together; its answers are dropped."
            ),
            .init("sticky", optional: \.sticky, "Keeps a client on its backend."),
            .init(
                "allowOverride",
                \.allowOverride,
                default: false,
                "Whether the request header x-meridian-revision may choose a revision of the app."
            ),
            .init("tls", optional: \.tls, "How the hosts are served over TLS."),
        ],
        rules: [
            ShapeRule { spec, path, context in
                SplitBackend.check(spec.backends, at: path["backends"], &context)
                SplitRule.checkReached(spec.rules, at: path["rules"], &context)
            }
        ]
    )
}

extension TrafficSplitSpec {
    /// Everywhere that requests go: the split's own shares, those of its rules, the mirror.
    package var allBackends: [SplitBackend] { backends + rules.flatMap(\.backends) + [mirror].compactMap(\.self) }
}

extension Constraint where Value == [String] {
    /// At least one host name, none twice.
    package static var hosts: Constraint {
        .rule { $0.isEmpty ? "give at least one host" : hostsFault($0) }
    }

    /// Host names, none twice.
    package static var distinctHosts: Constraint { .rule(hostsFault) }
}

private func hostsFault(_ hosts: [String]) -> String? {
    if let bad = hosts.first(where: { !isHostName($0) }) {
        return "\"\(bad)\" is not a host name: use lower-case DNS labels joined by dots, without a port"
    }
    return Set(hosts).count == hosts.count ? nil : "a host is given twice"
}

/// `spec.tls` of a TrafficSplit.
package struct TLSSettings: Shaped {
    /// A Secret with `tls.crt` and `tls.key`; nil: hosts under `localhost` get a certificate of the node's authority.
    package var secret: String?
    package var redirect: Bool = false

    package init() {}

    package static let shape: Shape<TLSSettings> = Shape(
        "TLSSettings",
        "How the hosts are served over TLS.",
        fields: [
            .init(
                "secret",
                optional: \.secret,
                "A Secret with the PEM chain as tls.crt and its key as tls.key.",
                .dnsLabel()
            ),
            .init("redirect", \.redirect, default: false, "Whether plain requests are redirected to https."),
        ]
    )
}

/// `status` of a TrafficSplit.
package struct TrafficSplitStatus: Shaped {
    package var observedGeneration: Int = 0
    /// `Ready`: every host and backend is routed as declared.
    package var conditions: [Condition] = []
    /// The hosts that this split has; a host that an older split claims is missing.
    package var hosts: [String] = []

    package init() {}

    package static let shape: Shape<TrafficSplitStatus> = Shape(
        "TrafficSplitStatus",
        "What Meridian observes of a split.",
        fields: [
            .init("observedGeneration", \.observedGeneration, default: 0, "The generation that was looked at."),
            .init("conditions", \.conditions, default: [], "Ready.", .keyed(by: "type")),
            .init("hosts", \.hosts, default: [], "The hosts that this split has."),
        ]
    )
}
