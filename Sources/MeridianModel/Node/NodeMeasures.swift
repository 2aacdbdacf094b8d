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
    package var app: String? {
        let parts = target.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let revision = RevisionName(String(parts[1])) else { return nil }
        return "\(parts[0])/\(revision.app)"
    }

    /// The sums since `earlier`, of the same instance.
    package func since(_ earlier: MeasuredTarget) -> MeasuredTarget {
        func less(_ now: [Int], _ before: [Int]) -> [Int] {
            now.enumerated().map { $1 - (before.indices.contains($0) ? before[$0] : 0) }
        }
        var difference = self
        difference.answers = less(answers, earlier.answers)
        difference.durations = less(durations, earlier.durations)
        difference.coldStarts -= earlier.coldStarts
        difference.upstreamErrors -= earlier.upstreamErrors
        difference.bytesIn -= earlier.bytesIn
        difference.bytesOut -= earlier.bytesOut
        difference.microseconds -= earlier.microseconds
        return difference
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
