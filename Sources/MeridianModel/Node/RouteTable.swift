// RouteTable: what an edge needs to answer a request: hosts, splits and where each revision listens.

/// A complete, immutable and numbered table of routes; an edge applies it as a whole or not at all.
package struct RouteTable: Shaped {
    /// Rises with every published table; an edge ignores a table that is not newer than its own.
    package var number: Int = 0
    /// One entry per host, sorted by host; hosts are lower case, without a port, and unique.
    package var hosts: [HostRoute] = []
    /// What clients may do, in the order of the policies' names; no host is in two of them and one at most has none.
    package var policies: [RoutePolicy] = []

    package init() {}

    package init(number: Int, hosts: [HostRoute]) {
        self.number = number
        self.hosts = hosts
    }

    package static let shape: Shape<RouteTable> = Shape(
        "RouteTable",
        "A complete, numbered table of routes.",
        fields: [
            .init(required: "number", \.number, "Rises with every published table."),
            .init("hosts", \.hosts, default: [], "One entry per host, sorted by host."),
            .init("policies", \.policies, default: [], "What clients may do, in the order of names."),
        ]
    )
}

/// What clients may do with the requests of some hosts, by the EdgePolicy of that name.
package struct RoutePolicy: Shaped {
    package var name: String = ""
    /// Its hosts are those that the policy has; none: all that no other policy has.
    package var rules = EdgePolicySpec()

    package init() {}

    package init(name: String, rules: EdgePolicySpec) {
        self.name = name
        self.rules = rules
    }

    package static let shape: Shape<RoutePolicy> = Shape(
        "RoutePolicy",
        "What clients may do with the requests of some hosts.",
        fields: [
            .init(required: "name", \.name, "The EdgePolicy's name."),
            .init(required: "rules", \.rules, "Its rules, with the hosts that it has."),
        ]
    )
}

/// What happens to the requests of one host.
package struct HostRoute: Shaped, Hashable {
    /// Lower case, without a port.
    package var host: String = ""
    /// The app's `namespace/name`, for metrics and messages.
    package var app: String = ""
    /// The region named in `x-meridian-region`; nil: the edge's own.
    package var region: String?
    /// In the order of the split; whole weights that sum to 100.
    ///
    /// Empty: the app has nothing that serves yet (503).
    package var backends: [RouteBackend] = []
    /// Tried in order; the first that matches decides, else `backends`.
    package var rules: [RouteRule] = []
    /// The cookie that keeps a client on its backend; nil: no cookie does.
    package var stickyCookie: String?
    /// The header whose value decides; nil: none does.
    ///
    /// Holds for `rules` too.
    package var stickyHeader: String?
    /// Gets a copy of its weight's percent of the requests, rules or not; nil: nobody does.
    package var mirror: RouteBackend?
    /// Revisions on which a sticky cookie keeps a client although they have no share, as `namespace/name`.
    package var kept: [String] = []
    /// How long a sticky cookie lasts.
    package var stickyTTL: Duration = .seconds(3600)
    /// Whether the request header `x-meridian-revision` may choose among `overrides`.
    package var allowOverride: Bool = false
    /// The revisions that the override header may name, sorted by revision name.
    package var overrides: [String] = []
    /// Whether a request without TLS is redirected to https.
    package var secureOnly: Bool = false
    /// The longest a request may take from its head to the last byte of its answer, parking included.
    package var requestTimeout: Duration = .seconds(30)

    package init() {}

    package static let shape: Shape<HostRoute> = Shape(
        "HostRoute",
        "What happens to the requests of one host.",
        fields: [
            .init(required: "host", \.host, "Lower case, without a port."),
            .init(required: "app", \.app, "The app's namespace/name."),
            .init("region", optional: \.region, "The region that serves the host."),
            .init("backends", \.backends, default: [], "In the order of the split; weights sum to 100."),
            .init("rules", \.rules, default: [], "Tried in order; the first that matches decides, else the backends."),
            .init("stickyCookie", optional: \.stickyCookie, "The cookie that keeps a client on its backend."),
            .init("mirror", optional: \.mirror, "Gets a copy of its weight's percent of the requests."),
            .init("stickyHeader", optional: \.stickyHeader, "The header whose value decides."),
            .init("kept", \.kept, default: [], "Revisions on which a sticky cookie keeps a client without a share."),
            .init("stickyTTL", \.stickyTTL, default: .seconds(3600), "How long a sticky cookie lasts."),
            .init("allowOverride", \.allowOverride, default: false, "Whether x-meridian-revision may choose."),
            .init("overrides", \.overrides, default: [], "The revisions that the override header may name."),
            .init("secureOnly", \.secureOnly, default: false, "Whether plain requests are redirected to https."),
            .init("requestTimeout", \.requestTimeout, default: .seconds(30), "The longest a request may take."),
        ]
    )
}

extension HostRoute {
    /// Everywhere that requests go: the host's own shares, those of its rules, the mirror.
    package var allBackends: [RouteBackend] { backends + rules.flatMap(\.backends) + [mirror].compactMap(\.self) }

    /// Every revision that a request may reach, each once, in order of first mention.
    package var revisions: [String] {
        var seen: Set<String> = []
        let named = allBackends.compactMap(\.revision) + kept + rules.flatMap(\.kept) + overrides
        return named.filter { seen.insert($0).inserted }
    }
}

/// Requests of a host that have backends of their own.
package struct RouteRule: Shaped, Hashable {
    /// Canonical; one of them must hold; none: every request matches.
    package var matches: [RequestMatch] = []
    /// As those of the host; empty: what matches is answered 503.
    package var backends: [RouteBackend] = []
    /// The rule's own cookie: one for all would change with every rule that a client passes through.
    package var stickyCookie: String?
    /// As `kept` of the host.
    package var kept: [String] = []

    package init() {}

    package init(_ matches: [RequestMatch], _ backends: [RouteBackend]) {
        self.matches = matches
        self.backends = backends
    }

    package static let shape: Shape<RouteRule> = Shape(
        "RouteRule",
        "Requests of a host that have backends of their own.",
        fields: [
            .init("matches", \.matches, default: [], "One of them must hold; none: every request matches."),
            .init("backends", \.backends, default: [], "As those of the host."),
            .init("stickyCookie", optional: \.stickyCookie, "The rule's own cookie."),
            .init("kept", \.kept, default: [], "As those of the host."),
        ]
    )

    /// The matches in words: `/v2 or header x-beta`.
    package var words: String { matches.isEmpty ? "everything" : matches.map(\.words).joined(separator: " or ") }
}

/// One share of a host's requests.
package struct RouteBackend: Shaped, Hashable {
    /// The key of the revision (`namespace/name`), or nil where `address` is set.
    package var revision: String?
    /// A server outside Meridian, `HOST:PORT` with a numeric IPv4 address or `[IPv6]`; nil where `revision` is set.
    package var address: String?
    /// Percent of the requests, 0 to 100.
    package var weight: Int = 100

    package init() {}

    package init(revision: String, weight: Int) {
        self.revision = revision
        self.weight = weight
    }

    package init(address: String, weight: Int) {
        self.address = address
        self.weight = weight
    }

    package static let shape: Shape<RouteBackend> = Shape(
        "RouteBackend",
        "One share of a host's requests.",
        fields: [
            .init("revision", optional: \.revision, "The revision's namespace/name."),
            .init("address", optional: \.address, "A server outside Meridian."),
            .init("weight", \.weight, default: 100, "Percent of the requests.", .range(0...100)),
        ]
    )
}
