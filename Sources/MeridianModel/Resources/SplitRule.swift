// SplitRule: requests of a split that have backends of their own.

/// Requests that match, and who answers them.
package struct SplitRule: Shaped {
    /// One of them must hold; none: every request matches.
    package var matches: [RequestMatch] = []
    package var backends: [SplitBackend] = []

    package init() {}

    package init(_ matches: [RequestMatch], _ backends: [SplitBackend]) {
        self.matches = matches
        self.backends = backends
    }

    /// Rules of one split: each is tried on every request of its hosts.
    package static let rulesMax = 64
    /// Matches of one rule.
    package static let matchesMax = 8

    package static let shape: Shape<SplitRule> = Shape(
        "SplitRule",
        "Requests that match, and who answers them.",
        fields: [
            .init(
                "matches",
                \.matches,
                default: [],
                "Of these one must hold; none: every request matches.",
                .atMost(matchesMax)
            ),
            .init(required: "backends", \.backends, "Who answers; weights are whole and sum to 100."),
        ],
        rules: [
            ShapeRule { rule, path, context in SplitBackend.check(rule.backends, at: path["backends"], &context) }
        ]
    )

    /// Adds a problem for each match that an earlier one leaves nothing to.
    static func checkReached(_ rules: [SplitRule], at path: FieldPath, _ context: inout DecodingContext) {
        var earlier: [(match: RequestMatch, place: FieldPath)] = []
        for (index, rule) in rules.enumerated() {
            let isLast = index == rules.count - 1
            if rule.matches.isEmpty, !isLast { addEverything(at: path[index], &context) }
            for (number, match) in rule.matches.enumerated() {
                let place = path[index]["matches"][number]
                let match = match.canonical
                if match.isEverything {
                    if !isLast { addEverything(at: place, &context) }
                    continue
                }
                guard let first = earlier.first(where: { $0.match.covers(match) }) else {
                    earlier.append((match, place))
                    continue
                }
                let what = first.match == match ? "says the same as" : "is never reached, since its requests match"
                context.add(.invalid, at: place, "\(place): \(what) \(first.place). Remove it or put it first")
            }
        }
    }

    private static func addEverything(at place: FieldPath, _ context: inout DecodingContext) {
        context.add(
            .invalid,
            at: place,
            "\(place): matches every request, so that the rules below are never reached. Give conditions or put it last"
        )
    }
}
