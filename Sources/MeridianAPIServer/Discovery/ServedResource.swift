// ServedResource: every resource of the API in one table: where it is served, what may be done with it, what it shows.
internal import MeridianModel

/// One resource: the objects of a stored kind, served in a group under a plural.
struct ServedResource: Sendable {
    /// The kind as it is served: its group, words and columns.
    let kind: Kind
    /// The kind whose stored objects it shows.
    let stored: String
    /// How stored objects become served ones and back.
    let view: ObjectView
    /// Words that stand for several resources at once, as in `kubectl get meridian`.
    let categories: [String]
    let subresources: [Subresource]

    /// What may be done with its objects, in Kubernetes' words.
    var verbs: [String] {
        let reading = ["get", "list", "watch"]
        guard kind.isDeclared else { return reading }
        return ["create", "delete", "deletecollection"] + reading + ["patch", "update"]
    }

    /// `apps`: how discovery, errors and rules name it together with the group.
    var name: String { kind.plural }
}

/// A path below an object.
enum Subresource: String, Sendable {
    case status, scale, log, rollback, restart, rebuild, learn

    /// The verbs that it takes.
    var verbs: [String] {
        switch self {
        case .status, .scale: ["get", "patch", "update"]
        case .log: ["get"]
        case .rollback, .restart, .rebuild, .learn: ["create"]
        }
    }
}

extension ServedResource {
    /// Kubernetes' core group first, where kubectl looks for Events, Namespaces, Pods and Secrets.
    static let all: [ServedResource] = core + own

    /// The resources of one group.
    static func of(group: String) -> [ServedResource] { all.filter { $0.kind.group == group } }

    /// The resource of a group with this plural; nil where there is none.
    static func named(_ plural: String, in group: String) -> ServedResource? {
        all.first { $0.kind.group == group && $0.kind.plural == plural }
    }

    private static let own: [ServedResource] = Kind.all.map { kind in
        // Where the core group has the same words, a short one is the core group's.
        let isServedTwice = core.contains { $0.kind.plural == kind.plural }
        let isApp = kind.name == AppSpec.kind
        let actions: [Subresource] = isApp ? [.scale, .log, .rollback, .restart, .rebuild, .learn] : []
        return ServedResource(
            kind: isServedTwice ? kind.withoutShortNames : kind,
            stored: kind.name,
            view: ownView(of: kind),
            categories: categories(of: kind),
            subresources: (hasStatus(kind) ? [.status] : []) + actions
        )
    }

    /// `kubectl get meridian` shows every kind but Events; `get all` shows what belongs to the apps of a namespace.
    private static func categories(of kind: Kind) -> [String] {
        switch kind.name {
        case Event.kind: []
        case AppSpec.kind, TrafficSplitSpec.kind, RevisionSpec.kind, RunnerSpec.kind: ["all", "meridian"]
        default: ["meridian"]
        }
    }

    private static func ownView(of kind: Kind) -> ObjectView {
        switch kind.name {
        case NamespaceSpec.kind: .namespace
        case Event.kind: .event
        default: .stored
        }
    }

    private static func hasStatus(_ kind: Kind) -> Bool { kind.schema()["properties"]?["status"] != nil }

    private static let core: [ServedResource] = Kind.all.flatMap { kind -> [ServedResource] in
        func served(_ kind: Kind, _ view: ObjectView, _ subresources: [Subresource] = []) -> ServedResource {
            ServedResource(kind: kind, stored: view.stored, view: view, categories: [], subresources: subresources)
        }
        switch kind.name {
        case Secret.kind: return [served(kind.inCoreGroup, .coreSecret)]
        case Event.kind: return [served(kind.inCoreGroup, .coreEvent)]
        case NamespaceSpec.kind: return [served(kind.inCoreGroup, .coreNamespace, [.status])]
        case RunnerSpec.kind:
            let pod = kind.inCoreGroup(as: "Pod", plural: "pods", shortNames: ["po"], columns: podColumns)
            return [served(pod, .pod, [.log])]
        default: return []
        }
    }

    private static let podColumns: [Kind.Column] = [
        .init("READY", "status.conditions[Ready]"), .init("STATUS", "status.phase"), .init("NODE", "spec.nodeName"),
    ]
}
