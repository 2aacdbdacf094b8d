// AccessRequest: what a request wants to do, in the words that roles are written in.
internal import MeridianModel

/// A verb and what it is meant for, as Kubernetes' authorization attributes name them.
struct AccessRequest: Equatable {
    /// What the verb is meant for.
    enum Target: Equatable {
        /// Objects of the API.
        case resource(ResourceTarget)
        /// A path that names no object: `/version`, `/meridian/v1/plan`.
        case path(String)
    }

    /// Objects of one resource.
    struct ResourceTarget: Equatable {
        /// `meridian.dev`, or empty for Kubernetes' core group.
        var group: String
        /// The plural: `apps`.
        var resource: String
        /// `status`, `log`, `rollback`; empty for the object itself.
        var subresource = ""
        /// Empty for cluster-scoped objects, and for those of all namespaces.
        var namespace = ""
        /// Empty where no single object is named.
        var name = ""

        /// `apps`, or `apps/log`.
        var path: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }
    }

    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; for a path the HTTP method in
    /// lower case.
    var verb: String
    var target: Target

    init(_ verb: String, _ target: Target) {
        self.verb = verb
        self.target = target
    }

    /// What an HTTP request wants (Kubernetes' RequestInfo), from its method, its path and whether it asks to watch.
    ///
    /// It reads the path alone and knows no kind, so that a route that is added is refused until a role names it.
    init(method: String, path: String, isWatch: Bool) {
        let parts = path.split(separator: "/").map(String.init)
        let method = method.lowercased()
        guard let (group, rest) = Self.group(of: parts), var target = Self.resource(group, rest) else {
            self.init(method == "head" ? "get" : method, .path("/" + parts.joined(separator: "/")))
            return
        }
        if target.resource == "namespaces", target.namespace.isEmpty { target.namespace = target.name }
        self.init(Self.verb(method, hasName: !target.name.isEmpty, isWatch: isWatch), .resource(target))
    }

    /// The group and what follows the version; nil where the path is of no object.
    private static func group(of parts: [String]) -> (String, ArraySlice<String>)? {
        switch parts.first {
        case "api" where parts.count > 2: ("", parts[2...])
        case "apis" where parts.count > 3: (parts[1], parts[3...])
        default: nil
        }
    }

    private static func resource(_ group: String, _ parts: ArraySlice<String>) -> ResourceTarget? {
        var parts = Array(parts)
        var namespace = ""
        // `namespaces/shop/apps` is about apps; `namespaces/shop` and `namespaces/shop/status` are about a namespace.
        if parts.first == "namespaces", parts.count > 2, !["status", "finalize"].contains(parts[2]) {
            namespace = parts[1]
            parts.removeFirst(2)
        }
        guard let resource = parts.first else { return nil }
        return ResourceTarget(
            group: group,
            resource: resource,
            subresource: parts.dropFirst(2).joined(separator: "/"),
            namespace: namespace,
            name: parts.count > 1 ? parts[1] : ""
        )
    }

    private static func verb(_ method: String, hasName: Bool, isWatch: Bool) -> String {
        switch method {
        case "get", "head": isWatch ? "watch" : hasName ? "get" : "list"
        case "post": "create"
        case "put": "update"
        case "delete": hasName ? "delete" : "deletecollection"
        default: method
        }
    }
}
