// StickySettings: how a client stays on its backend.

/// `spec.sticky` of a TrafficSplit.
///
/// By a cookie that names the backend, or by a header whose value decides: no client is remembered anywhere.
package struct StickySettings: Shaped, Hashable {
    /// The cookie's name; nil: `defaultCookie`, unless `header` is given.
    package var cookie: String?
    /// A header field whose value decides, such as a user's id.
    package var header: String?
    /// How long a client stays on a backend that has a share; nil: `defaultTTL`, unless `maxAge` is given.
    package var ttl: Duration?
    /// How long a client stays on its revision as long as that exists, whatever the weights say.
    package var maxAge: Duration?

    package init() {}

    package static let defaultCookie = "mrd-variant"
    package static let defaultTTL = Duration.seconds(3600)
    /// Browsers keep no cookie for longer than 400 days.
    private static let lifetimes = Duration.seconds(1)...Duration.seconds(31_536_000)

    package static let shape: Shape<StickySettings> = Shape(
        "StickySettings",
        "Keeps a client on its backend, by a cookie or by the value of a header.",
        fields: [
            .init(
                "cookie",
                optional: \.cookie,
                "The cookie's name; mrd-variant where neither cookie nor header is given.",
                .rule { isCookieName($0) ? nil : "\"\($0)\" is not a cookie name; use letters, digits, - and _" }
            ),
            .init(
                "header",
                optional: \.header,
                "A header, such as a user's id: equal values have the same backend, and few move when weights change.",
                .token
            ),
            .init(
                "ttl",
                optional: \.ttl,
                "How long a client stays on a backend that has a share; 1h where neither ttl nor maxAge is given.",
                .range(lifetimes)
            ),
            .init(
                "maxAge",
                optional: \.maxAge,
                "How long a client stays on its revision while that exists, even when the weights leave it.",
                .range(lifetimes)
            ),
        ],
        rules: [
            ShapeRule { sticky, path, context in
                func clash(_ name: String, _ words: String) {
                    context.add(.invalid, at: path[name], "\(path[name]): \(words)")
                }
                if sticky.header != nil, sticky.cookie != nil {
                    clash("header", "a client stays by a cookie or by a header. Give one of them")
                }
                if sticky.header != nil, sticky.ttl != nil { clash("ttl", "a header is not remembered. Remove it") }
                if sticky.header != nil, sticky.maxAge != nil {
                    clash("maxAge", "only a cookie can name a revision that has no share any more. Give a cookie")
                }
                if sticky.ttl != nil, sticky.maxAge != nil {
                    clash("maxAge", "ttl says already how long a client stays. Give one of them")
                }
            }
        ]
    )
}

private func isCookieName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64
        && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
}
