// APIRoute: which resource a path names.
internal import MeridianModel

/// Everything that the server has under a path.
enum APIRoute {
    case version
    case health
    case ready
    case status
    case plan
    case blob(Digest)
    /// The objects of a kind in one namespace, or in all of them (nil).
    case collection(Kind, namespace: String?)
    case object(Kind, ObjectKey)
    case objectStatus(Kind, ObjectKey)
    case action(AppAction, ObjectKey)
    case appLog(ObjectKey)

    /// The verbs on apps that are more than a change of their content.
    enum AppAction: String {
        case rollback, restart, rebuild
    }

    /// The route of a path; throws 404 where there is none.
    init(path: String) throws(APIFailure) {
        let parts = path.split(separator: "/").map(String.init)
        switch parts.first {
        case "version" where parts.count == 1: self = .version
        case "healthz" where parts.count == 1, "livez" where parts.count == 1: self = .health
        case "readyz" where parts.count == 1: self = .ready
        case "meridian" where parts.count >= 3 && parts[1] == "v1": self = try Self.own(Array(parts[2...]))
        case "apis" where parts.count >= 4 && parts[1] == apiGroup && parts[2] == "v1":
            self = try Self.resource(Array(parts[3...]))
        default: throw .noResource
        }
    }

    private static func own(_ parts: [String]) throws(APIFailure) -> APIRoute {
        switch (parts[0], parts.count) {
        case ("status", 1): return .status
        case ("plan", 1): return .plan
        case ("blobs", 2):
            let text = parts[1].hasPrefix("sha256%3A") ? "sha256:" + parts[1].dropFirst("sha256%3A".count) : parts[1]
            guard let digest = Digest(text) else {
                throw .badRequest(
                    "\"\(parts[1].prefix(80))\" is not a digest: sha256: and 64 lower-case hexadecimal digits"
                )
            }
            return .blob(digest)
        default: throw .noResource
        }
    }

    private static func resource(_ parts: [String]) throws(APIFailure) -> APIRoute {
        var parts = parts
        var namespace: String?
        if parts[0] == "namespaces", parts.count >= 3 {
            guard isDNSLabel(parts[1]) else { throw .badRequest("\"\(parts[1].prefix(80))\" is not a namespace") }
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard let kind = Kind.all.first(where: { $0.plural == parts[0] }), kind.isNamespaced || namespace == nil else {
            throw .noResource
        }
        guard parts.count > 1 else { return .collection(kind, namespace: namespace) }
        guard kind.isNamespaced == (namespace != nil), isDNSLabel(parts[1]) else { throw .noResource }
        let key = ObjectKey(kind: kind.name, namespace: namespace ?? "", name: parts[1])
        switch parts.count {
        case 2: return .object(kind, key)
        case 3: return try subresource(parts[2], kind, key)
        default: throw .noResource
        }
    }

    private static func subresource(_ word: String, _ kind: Kind, _ key: ObjectKey) throws(APIFailure) -> APIRoute {
        if word == "status" { return .objectStatus(kind, key) }
        guard kind.name == AppSpec.kind else { throw .noResource }
        if word == "log" { return .appLog(key) }
        guard let action = AppAction(rawValue: word) else { throw .noResource }
        return .action(action, key)
    }
}
