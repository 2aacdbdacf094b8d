// NodeAssignment: what the control plane wants of one node: routes and the revisions that it may run.

/// A complete, numbered description of what one node serves.
///
/// The node keeps the last good one on disk and goes on by it while the control plane is away: cold starts,
/// scaling between a revision's bounds and stopping idle runners need nothing further.
package struct NodeAssignment: Shaped {
    /// Rises with every assignment; a node ignores one that is not newer than its own.
    package var number: Int = 0
    /// The node's region, for the answer header `x-meridian-region`.
    package var region: String = "local"
    package var routes: RouteTable = RouteTable()
    /// One entry per revision that may have runners here, sorted by key.
    ///
    /// A revision that is missing is drained and stopped.
    package var revisions: [RevisionAssignment] = []
    /// Sorted by first host.
    ///
    /// Hosts without one get a certificate of the node's own authority where they are under `localhost`.
    package var certificates: [HostCertificate] = []

    package init() {}

    package static let shape: Shape<NodeAssignment> = Shape(
        "NodeAssignment",
        "What the control plane wants of one node.",
        fields: [
            .init(required: "number", \.number, "Rises with every assignment."),
            .init("region", \.region, default: "local", "The node's region."),
            .init("routes", \.routes, default: RouteTable(), "The routes of the node's edge."),
            .init("revisions", \.revisions, default: [], "The revisions that may have runners, sorted by key."),
            .init("certificates", \.certificates, default: [], "The certificates of hosts, sorted by first host."),
        ]
    )
}

/// How many runners of one revision a node keeps, and how it starts them.
package struct RevisionAssignment: Shaped {
    /// `namespace/name` of the revision.
    package var key: String = ""
    /// `namespace/name` of the app.
    package var app: String = ""
    package var template: RunnerTemplate = RunnerTemplate()
    /// Runners that stay up although idle.
    package var runnersMin: Int = 0
    /// Runners at most.
    package var runnersMax: Int = 10
    /// The in-flight requests per runner that scaling aims at; the edge never exceeds twice this per runner while others start.
    package var targetConcurrency: Int = 50
    /// How long a runner without a request stays.
    package var idleAfter: Duration = .seconds(60)
    /// What becomes of it then.
    package var standby: Standby = .stop
    /// Rises with every `restart`: runners started under a smaller number are replaced.
    package var restartNumber: Int = 0

    package init() {}

    package static let shape: Shape<RevisionAssignment> = Shape(
        "RevisionAssignment",
        "How many runners of one revision a node keeps, and how it starts them.",
        fields: [
            .init(required: "key", \.key, "namespace/name of the revision."),
            .init(required: "app", \.app, "namespace/name of the app."),
            .init(required: "template", \.template, "How a runner is started."),
            .init("runnersMin", \.runnersMin, default: 0, "Runners that stay up although idle."),
            .init("runnersMax", \.runnersMax, default: 10, "Runners at most."),
            .init("targetConcurrency", \.targetConcurrency, default: 50, "In-flight requests per runner."),
            .init("idleAfter", \.idleAfter, default: .seconds(60), "How long an idle runner stays."),
            .init("standby", \.standby, default: .stop, "What becomes of an idle runner."),
            .init("restartNumber", \.restartNumber, default: 0, "Rises with every restart."),
        ]
    )
}
