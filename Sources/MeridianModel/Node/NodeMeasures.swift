// NodeMeasures: what a node has measured since its edge started, for `/metrics` and `meridian top`.

/// Sums of one node; each number is exact, but they are not read at one instant.
package struct NodeMeasures: Shaped, Equatable {
    package var node: String = ""
    /// Tells sums that began anew from those that went on.
    package var instance: String = ""
    /// The number of the route table in force.
    package var routes: Int = 0
    /// Client connections that are open.
    package var connections: Int = 0
    /// By reason: `rate`, `address`, `size`, `slowBody`, `connectionsPerClient`, `overload`.
    package var refusals: [String: Int] = [:]
    /// The least duration beyond each bucket of `durations`, in microseconds; the last bucket has none.
    package var durationBounds: [Int] = []
    /// By target, sorted.
    package var targets: [MeasuredTarget] = []
    /// Runners by revision (`namespace/name`) and state: `default/hello-00001` → `ready` → 2.
    package var runners: [MeasuredRunners] = []

    package init() {}

    package static let shape: Shape<NodeMeasures> = Shape(
        "NodeMeasures",
        "What a node has measured since its edge started.",
        fields: [
            .init(required: "node", \.node, "The node's name."),
            .init(required: "instance", \.instance, "Tells sums that began anew from those that went on."),
            .init("routes", \.routes, default: 0, "The number of the route table in force."),
            .init("connections", \.connections, default: 0, "Client connections that are open."),
            .init("refusals", \.refusals, default: [:], "Refused requests and connections by reason."),
            .init("durationBounds", \.durationBounds, default: [], "Bounds of the buckets, in microseconds."),
            .init("targets", \.targets, default: [], "By target."),
            .init("runners", \.runners, default: [], "Runners by revision and state."),
        ]
    )
}

/// What was measured of one revision or address.
package struct MeasuredTarget: Shaped, Equatable {
    /// The revision's `namespace/name`, or the address of a server outside Meridian.
    package var target: String = ""
    /// Finished requests by the first digit of their status; index 0: ended by the client before an answer.
    package var answers: [Int] = []
    /// Requests that waited for a runner to start.
    package var coldStarts: Int = 0
    /// Requests that failed since the runner did not accept, broke off or answered malformed.
    package var upstreamErrors: Int = 0
    /// Heads included.
    package var bytesIn: Int = 0
    /// Heads included.
    package var bytesOut: Int = 0
    /// Requests per bucket of `durationBounds`.
    package var durations: [Int] = []
    /// The sum of all durations.
    package var microseconds: Int = 0
    /// Requests that have a runner at this moment.
    package var inFlight: Int = 0
    /// Requests that wait for a runner at this moment.
    package var parked: Int = 0

    package init() {}

    package static let shape: Shape<MeasuredTarget> = Shape(
        "MeasuredTarget",
        "What was measured of one revision or address.",
        fields: [
            .init(required: "target", \.target, "The revision's namespace/name, or an address."),
            .init("answers", \.answers, default: [], "Finished requests by the first digit of their status."),
            .init("coldStarts", \.coldStarts, default: 0, "Requests that waited for a runner to start."),
            .init("upstreamErrors", \.upstreamErrors, default: 0, "Requests that the runner failed."),
            .init("bytesIn", \.bytesIn, default: 0, "Bytes from clients."),
            .init("bytesOut", \.bytesOut, default: 0, "Bytes to clients."),
            .init("durations", \.durations, default: [], "Requests per bucket."),
            .init("microseconds", \.microseconds, default: 0, "The sum of all durations."),
            .init("inFlight", \.inFlight, default: 0, "Requests that have a runner."),
            .init("parked", \.parked, default: 0, "Requests that wait for a runner."),
        ]
    )

    /// The app (`namespace/name`) of the revision; nil for an address.
    package var app: String? { appPath(ofRevision: target) }

    /// The sums since `earlier`, of the same instance; what is so at this moment stays.
    package func since(_ earlier: MeasuredTarget) -> MeasuredTarget {
        var difference = combined(earlier, -)
        difference.inFlight = inFlight
        difference.parked = parked
        return difference
    }

    /// Both together, under this one's name.
    package func adding(_ other: MeasuredTarget) -> MeasuredTarget { combined(other, +) }

    private func combined(_ other: MeasuredTarget, _ operation: (Int, Int) -> Int) -> MeasuredTarget {
        func each(_ left: [Int], _ right: [Int]) -> [Int] {
            (0..<max(left.count, right.count)).map { index in
                operation(index < left.count ? left[index] : 0, index < right.count ? right[index] : 0)
            }
        }
        var result = self
        result.answers = each(answers, other.answers)
        result.durations = each(durations, other.durations)
        for value in [
            \MeasuredTarget.coldStarts, \.upstreamErrors, \.bytesIn, \.bytesOut, \.microseconds, \.inFlight, \.parked,
        ] {
            result[keyPath: value] = operation(self[keyPath: value], other[keyPath: value])
        }
        return result
    }
}

/// The app (`namespace/name`) of a revision (`namespace/name`); nil where the text names none.
package func appPath(ofRevision path: String) -> String? {
    let parts = path.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let revision = RevisionName(String(parts[1])) else { return nil }
    return "\(parts[0])/\(revision.app)"
}

/// The bucket of a histogram in which the given part of the values, 0 to 1, ends; nil without any.
package func histogramBucket(ending part: Double, of counts: [Int]) -> Int? {
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    let wanted = max(1, Int((part * Double(total)).rounded(.up)))
    var seen = 0
    return counts.firstIndex { count in
        seen += count
        return seen >= wanted
    }
}

/// How many runners of one revision are in one state.
package struct MeasuredRunners: Shaped, Equatable {
    package var revision: String = ""
    package var state: String = ""
    package var count: Int = 0

    package init() {}

    package init(revision: String, state: String, count: Int) {
        self.revision = revision
        self.state = state
        self.count = count
    }

    package static let shape: Shape<MeasuredRunners> = Shape(
        "MeasuredRunners",
        "How many runners of one revision are in one state.",
        fields: [
            .init(required: "revision", \.revision, "The revision's namespace/name."),
            .init(required: "state", \.state, "The state."),
            .init(required: "count", \.count, "How many."),
        ]
    )
}
