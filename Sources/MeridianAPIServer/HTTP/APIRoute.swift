// APIRoute: which resource a path names.
internal import MeridianModel

/// Everything that the server has under a path.
enum APIRoute {
    case version
    case health
    case ready
    case status
    case plan
    case audit
    case backup
    case measures
    case metrics
    case sealKey
    case blob(Digest)
    case discovery(DiscoveryPath)
    case openAPI(OpenAPIPath)
    /// The objects of a resource in one namespace, or in all of them (nil).
    case collection(ServedResource, namespace: String?)
    case object(ServedResource, ObjectKey)
    case subresource(Subresource, ServedResource, ObjectKey)
    /// A question of the caller about itself.
    case review(SelfReview)

    /// What there is to discover.
    enum DiscoveryPath {
        /// `/api`
        case core
        /// `/apis`
        case groups
        /// `/apis/GROUP`
        case group(String)
        /// `/api/v1`, `/apis/GROUP/v1`
        case resources(group: String)
    }

    /// The descriptions of the API.
    enum OpenAPIPath {
        /// `/openapi/v2`
        case second
        /// `/openapi/v3`
        case index
        /// `/openapi/v3/api/v1`, `/openapi/v3/apis/GROUP/v1`
        case group(String)
    }

    /// Parts of a path; the longest that names anything has eight.
    private static let partsMax = 16

    /// The route of a path; throws 404 where there is none.
    init(path: String) throws(APIFailure) {
        let parts = path.split(separator: "/", maxSplits: Self.partsMax).map(String.init)
        guard let first = parts.first, parts.count <= Self.partsMax else { throw .noResource }
        let rest = Array(parts.dropFirst())
        switch (first, rest.count) {
        case ("version", 0): self = .version
        case ("healthz", 0), ("livez", 0): self = .health
        case ("readyz", 0): self = .ready
        case ("metrics", 0): self = .metrics
        case ("meridian", 2...) where rest[0] == "v1": self = try Self.own(Array(rest[1...]))
        case ("api", 0): self = .discovery(.core)
        case ("apis", 0): self = .discovery(.groups)
        case ("apis", 1): self = .discovery(.group(rest[0]))
        case ("openapi", _): self = .openAPI(try Self.openAPI(rest))
        case ("api", _), ("apis", _):
            let (group, below) = try Self.group(parts)
            self = below.isEmpty ? .discovery(.resources(group: group)) : try Self.resource(group, below)
        default: throw .noResource
        }
    }

    /// The group that `/api/v1/…` or `/apis/GROUP/v1/…` names, and what follows.
    private static func group(_ parts: [String]) throws(APIFailure) -> (String, [String]) {
        if parts.starts(with: ["api", "v1"]) { return ("", Array(parts[2...])) }
        guard parts.count >= 3, parts[0] == "apis", Discovery.groups.contains(parts[1]), parts[2] == "v1" else {
            throw .noResource
        }
        return (parts[1], Array(parts[3...]))
    }

    private static func openAPI(_ parts: [String]) throws(APIFailure) -> OpenAPIPath {
        if parts == ["v2"] { return .second }
        guard parts.first == "v3" else { throw .noResource }
        guard parts.count > 1 else { return .index }
        let (group, below) = try group(Array(parts[1...]))
        guard below.isEmpty else { throw .noResource }
        return .group(group)
    }

    private static func own(_ parts: [String]) throws(APIFailure) -> APIRoute {
        switch (parts[0], parts.count) {
        case ("status", 1): return .status
        case ("plan", 1): return .plan
        case ("audit", 1): return .audit
        case ("backup", 1): return .backup
        case ("measures", 1): return .measures
        case ("seal-key", 1): return .sealKey
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

    private static func resource(_ group: String, _ parts: [String]) throws(APIFailure) -> APIRoute {
        var parts = parts
        var namespace: String?
        // `namespaces/shop/apps` is about apps; `namespaces/shop` and `namespaces/shop/status` are about a namespace.
        if parts[0] == "namespaces", parts.count >= 3, parts[2] != Subresource.status.rawValue {
            guard isDNSLabel(parts[1]) else { throw .badRequest("\"\(parts[1].prefix(80))\" is not a namespace") }
            namespace = parts[1]
            parts.removeFirst(2)
        }
        if let review = SelfReview.named(parts[0], in: group), parts.count == 1, namespace == nil {
            return .review(review)
        }
        guard let resource = ServedResource.named(parts[0], in: group),
            resource.kind.isNamespaced || namespace == nil
        else { throw .noResource }
        guard parts.count > 1 else { return .collection(resource, namespace: namespace) }
        guard resource.kind.isNamespaced == (namespace != nil), parts.count <= 3 else { throw .noResource }
        let key = ObjectKey(kind: resource.stored, namespace: namespace ?? "", name: parts[1])
        guard isDNSLabel(key.name) else { throw .notFound(key, resource.kind) }
        guard parts.count == 3 else { return .object(resource, key) }
        guard let subresource = Subresource(rawValue: parts[2]), resource.subresources.contains(subresource) else {
            throw .noResource
        }
        return .subresource(subresource, resource, key)
    }
}
