// AccessRule: the roles as a table: who may do which verb with what, and where.
internal import MeridianModel

/// Some verbs on some resources or paths; what no rule names is refused.
struct AccessRule: Equatable, Sendable {
    /// Where a rule holds.
    enum Reach: Sendable {
        /// Objects in the caller's namespaces.
        case namespace
        /// Cluster-scoped objects, for callers whose role holds everywhere.
        case cluster
        /// Cluster-scoped objects that whoever writes an app needs to see, for callers of any namespace.
        case shared
        /// The object of the caller's own node.
        case ownNode
        /// Paths rather than objects.
        case path
        /// Paths to what is of the whole platform, for callers whose role holds everywhere.
        case platformPath
    }

    let reach: Reach
    /// `*` is every verb.
    let verbs: [String]
    /// Resources as `apps` or `apps/log`, or paths; `*` is every resource, and a path that ends in `*` all below it.
    let names: [String]

    /// What everybody may do; those who said who they are see more.
    static func everybody(isKnown: Bool) -> [AccessRule] { isKnown ? alive + discovery : alive }

    /// What a role may do besides what everybody may.
    static func rules(_ role: AccessRole) -> [AccessRule] {
        switch role {
        case .viewer: viewer
        case .editor: viewer + editor
        case .admin: viewer + editor + admin
        case .node: node
        }
    }

    private static let read = ["get", "list", "watch"]
    private static let write = ["create", "update", "patch", "delete", "deletecollection"]

    private static let alive = [
        AccessRule(reach: .path, verbs: ["get"], names: ["/version", "/healthz", "/livez", "/readyz"])
    ]

    private static let discovery = [
        AccessRule(reach: .path, verbs: ["get"], names: ["/api", "/api/*", "/apis", "/apis/*", "/openapi/*"]),
        AccessRule(reach: .path, verbs: ["get"], names: ["/meridian/v1/seal-key"]),
        AccessRule(
            reach: .shared,
            verbs: ["create"],
            names: ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"]
        ),
    ]

    private static let viewer = [
        AccessRule(
            reach: .namespace,
            verbs: read,
            names: [
                "apps", "apps/status", "apps/scale", "apps/log", "trafficsplits", "trafficsplits/status", "revisions",
                "revisions/status", "runners", "runners/status", "events", "pods", "pods/status", "pods/log",
            ]
        ),
        AccessRule(reach: .namespace, verbs: ["get"], names: ["namespaces"]),
        AccessRule(
            reach: .shared,
            verbs: read,
            names: [
                "regions", "regions/status", "syscallallowlists", "syscallallowlists/status", "edgepolicies",
                "edgepolicies/status",
            ]
        ),
        AccessRule(
            reach: .cluster,
            verbs: read,
            names: ["nodes", "nodes/status", "namespaces", "namespaces/status", "gitsources", "gitsources/status"]
        ),
        AccessRule(reach: .path, verbs: ["get"], names: ["/metrics", "/meridian/v1/measures", "/meridian/v1/status"]),
        AccessRule(reach: .path, verbs: ["post"], names: ["/meridian/v1/plan"]),
    ]

    private static let editor = [
        AccessRule(reach: .namespace, verbs: write, names: ["apps", "trafficsplits"]),
        AccessRule(reach: .namespace, verbs: read + write, names: ["secrets"]),
        AccessRule(reach: .namespace, verbs: ["update", "patch"], names: ["apps/scale"]),
        AccessRule(
            reach: .namespace,
            verbs: ["create"],
            names: ["apps/rollback", "apps/restart", "apps/rebuild", "apps/learn"]
        ),
        AccessRule(reach: .path, verbs: ["get", "put"], names: ["/meridian/v1/blobs/*"]),
    ]

    private static let admin = [
        AccessRule(reach: .namespace, verbs: ["*"], names: ["*"]),
        AccessRule(reach: .cluster, verbs: ["*"], names: ["*"]),
        AccessRule(reach: .platformPath, verbs: ["*"], names: ["*"]),
    ]

    private static let node = [
        AccessRule(reach: .ownNode, verbs: ["get"], names: ["nodes"]),
        AccessRule(reach: .ownNode, verbs: ["get", "watch"], names: ["nodes/assignment"]),
        AccessRule(reach: .ownNode, verbs: ["create", "update"], names: ["nodes/report"]),
        AccessRule(reach: .path, verbs: ["get"], names: ["/meridian/v1/blobs/*"]),
    ]
}
