// Node: one machine that runs an edge and runners; written by Meridian.

/// One machine that runs an edge and runners.
package typealias Node = Resource<NodeSpec, NodeStatus>

/// `spec` of a Node; cluster-scoped.
package struct NodeSpec: ResourceSpec {
    package static let kind = "Node"

    package init() {}

    package static let shape: Shape<NodeSpec> = Shape(
        "NodeSpec",
        "One machine that runs an edge and runners.",
        fields: []
    )
}

/// `status` of a Node.
package struct NodeStatus: Shaped {
    /// `Ready` where the node answers, `Protected` where every protection is in force.
    package var conditions: [Condition] = []
    /// The regions that it serves, sorted.
    package var regions: [String] = []
    /// Where its edge accepts requests.
    package var edges: [String] = []
    /// Which protections are in force, and how.
    package var protections: [String: String] = [:]
    package var runners: Int = 0
    /// Drawn anew at each start of the node process.
    package var instance: String = ""

    package init() {}

    package static let shape: Shape<NodeStatus> = Shape(
        "NodeStatus",
        "What Meridian observes of a node.",
        fields: [
            .init("conditions", \.conditions, default: [], "Ready, Protected.", .keyed(by: "type")),
            .init("regions", \.regions, default: [], "The regions that it serves."),
            .init("edges", \.edges, default: [], "Where its edge accepts requests."),
            .init("protections", \.protections, default: [:], "Which protections are in force."),
            .init("runners", \.runners, default: 0, "Runners on the node."),
            .init("instance", \.instance, default: "", "Drawn anew at each start."),
        ]
    )
}
