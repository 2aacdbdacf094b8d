// AccessToken: who may use the API, as what, and where; of the token itself only a digest is kept.

/// A bearer token of the API: its role, and the digest by which it is known.
package typealias AccessToken = Resource<AccessTokenSpec, EmptyStatus>

/// `spec` of an AccessToken; cluster-scoped, and only for admins of the whole cluster to read and write.
package struct AccessTokenSpec: ResourceSpec {
    package static let kind = "AccessToken"

    package var role: AccessRole = .viewer
    /// Where the role holds; none: in every namespace, and for cluster-scoped objects too.
    package var namespaces: [String] = []
    /// The node that a token of the role `node` belongs to; nil for the other roles.
    package var node: String?
    /// SHA-256 of the token's text: whoever reads the object cannot use it.
    package var digest: Digest = .zero
    /// From then on the token is refused; nil: never.
    package var expiresAt: Timestamp?

    package init() {}

    package static let shape: Shape<AccessTokenSpec> = Shape(
        "AccessTokenSpec",
        "Who may use the API, as what, and where.",
        fields: [
            .init(required: "role", \.role, "What the holder may do: viewer, editor, admin or node."),
            .init(
                "namespaces",
                \.namespaces,
                default: [],
                "Where the role holds; none: in every namespace, and for cluster-scoped objects too.",
                .rule { $0.first { !isDNSLabel($0) }.map { "\"\($0)\" is not a namespace: use a DNS label" } }
            ),
            .init("node", optional: \.node, "The node that a token of the role node belongs to.", .dnsLabel()),
            .init(
                required: "digest",
                \.digest,
                "The SHA-256 of the token's text; the text itself is stored nowhere.",
                .rule { $0 == .zero ? "is no digest of a token; give the SHA-256 of its text" : nil }
            ),
            .init("expiresAt", optional: \.expiresAt, "From then on the token is refused; absent: never."),
        ],
        rules: [ShapeRule(checkNode)]
    )

    private static func checkNode(_ spec: Self, _ path: FieldPath, _ context: inout DecodingContext) {
        let place = path["node"]
        guard spec.role == .node else {
            if spec.node != nil { context.add(.invalid, at: place, "\(place): only the role node belongs to a node") }
            return
        }
        if spec.node == nil { context.add(.required, at: place, "\(place): the role node needs the name of its node") }
        guard !spec.namespaces.isEmpty else { return }
        let other = path["namespaces"]
        context.add(.invalid, at: other, "\(other): a node serves every namespace; leave it out for the role node")
    }
}

/// What the holder of a token may do.
package enum AccessRole: String, WordShapeValue {
    /// Reads everything but Secrets and AccessTokens.
    case viewer
    /// A viewer who also changes what runs: apps, traffic splits, secrets.
    case editor
    /// Everything; of some namespaces, everything in them.
    case admin
    /// What one node does: reads its assignment and its bundles, and reports.
    case node
}
