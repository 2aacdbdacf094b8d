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
            .init("sticky", optional: \.sticky, "Keeps a client on its backend."),
            .init(
                "allowOverride",
                \.allowOverride,
                default: false,
                "Whether the request header x-meridian-revision may choose a revision of the app."
            ),
            .init("tls", optional: \.tls, "How the hosts are served over TLS."),
        ],
        rules: [ShapeRule(checkWeights), ShapeRule(checkBackendsDiffer)]
    )

    private static func checkWeights(_ spec: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        let sum = spec.backends.reduce(0) { $0 + $1.weight }
        guard sum != 100 else { return }
        let place = path["backends"]
        let words = spec.backends.isEmpty ? "there are none" : "they sum to \(sum)"
        context.add(.invalid, at: place, "\(place): weights must sum to 100; \(words)")
    }

    private static func checkBackendsDiffer(_ spec: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        for (index, backend) in spec.backends.enumerated() {
            let twin = spec.backends[..<index].firstIndex {
                ($0.revision, $0.app, $0.address) == (backend.revision, backend.app, backend.address)
            }
            guard let twin else { continue }
            let place = path["backends"][index]
            context.add(.invalid, at: place, "\(place): names the same as backends[\(twin)]; add their weights up")
        }
    }
}

extension Constraint where Value == [String] {
    /// At least one host name, none twice.
    package static var hosts: Constraint {
        .rule { hosts in
            if hosts.isEmpty { return "give at least one host" }
            if let bad = hosts.first(where: { !isHostName($0) }) {
                return "\"\(bad)\" is not a host name: use lower-case DNS labels joined by dots, without a port"
            }
            return Set(hosts).count == hosts.count ? nil : "a host is given twice"
        }
    }
}

/// One share: exactly one of `revision`, `app` and `address`.
package struct SplitBackend: Shaped {
    /// `latest` or a revision's name, of the split's app.
    package var revision: String?
    /// Another app's latest revision.
    package var app: String?
    /// A server outside Meridian: a numeric address and a port.
    package var address: String?
    /// Percent.
    package var weight: Int = 0

    package init() {}

    package init(revision: String, weight: Int) {
        self.revision = revision
        self.weight = weight
    }

    package init(app: String, weight: Int) {
        self.app = app
        self.weight = weight
    }

    package static let shape: Shape<SplitBackend> = Shape(
        "SplitBackend",
        "One share of the requests: exactly one of revision, app, address.",
        fields: [
            .init("revision", optional: \.revision, "latest, or a revision of the split's app.", .dnsLabel()),
            .init("app", optional: \.app, "Another app's latest revision.", .dnsLabel(atMost: 52)),
            .init("address", optional: \.address, "A server outside Meridian: HOST:PORT.", .socketAddress),
            .init(required: "weight", \.weight, "Percent of the requests.", .range(0...100)),
        ],
        rules: [
            ShapeRule { backend, path, context in
                let given = [backend.revision, backend.app, backend.address].filter { $0 != nil }.count
                guard given != 1 else { return }
                context.add(
                    .invalid,
                    at: path,
                    "\(path): give exactly one of revision, app, address; \(given) given"
                )
            }
        ]
    )
}

extension Constraint where Value == String {
    /// `IPv4:PORT` or `[IPv6]:PORT`.
    package static var socketAddress: Constraint {
        .rule { text in
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
            else {
                return "\"\(text)\" needs a port: HOST:PORT"
            }
            let host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]"), host.contains(":") { return nil }
            let parts = host.split(separator: ".", omittingEmptySubsequences: false)
            let isIPv4 = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
            return isIPv4 ? nil : "\"\(host)\" is not a numeric address; give IPv4:PORT or [IPv6]:PORT"
        }
    }
}

/// `spec.sticky` of a TrafficSplit.
package struct StickySettings: Shaped {
    package var cookie: String = "mrd-variant"
    package var ttl: Duration = .seconds(3600)

    package init() {}

    package static let shape: Shape<StickySettings> = Shape(
        "StickySettings",
        "Keeps a client on its backend.",
        fields: [
            .init(
                "cookie",
                \.cookie,
                default: "mrd-variant",
                "The cookie's name.",
                .rule { isCookieName($0) ? nil : "\"\($0)\" is not a cookie name; use letters, digits, - and _" }
            ),
            .init(
                "ttl",
                \.ttl,
                default: .seconds(3600),
                "How long the cookie lasts.",
                .range(.seconds(1)...(.seconds(31_536_000)))
            ),
        ]
    )
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

private func isCookieName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
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
