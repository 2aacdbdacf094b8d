// SplitBackend: one share of a split's requests.

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

extension SplitBackend {
    /// Adds the problems of a list of shares: weights that do not sum to 100, a backend that is named twice.
    static func check(_ backends: [SplitBackend], at path: FieldPath, _ context: inout DecodingContext) {
        let sum = backends.reduce(0) { $0 + $1.weight }
        if sum != 100 {
            let words = backends.isEmpty ? "there are none" : "they sum to \(sum)"
            context.add(.invalid, at: path, "\(path): weights must sum to 100; \(words)")
        }
        for (index, backend) in backends.enumerated() {
            let twin = backends[..<index].firstIndex {
                ($0.revision, $0.app, $0.address) == (backend.revision, backend.app, backend.address)
            }
            guard let twin else { continue }
            let place = path[index]
            context.add(.invalid, at: place, "\(place): names the same as backends[\(twin)]; add their weights up")
        }
    }
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
