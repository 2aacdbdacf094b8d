// Caller: who sent a request, and what they may do.
internal import MeridianModel

/// Who a request comes from, as far as it proved.
struct Caller: Equatable, Sendable {
    /// For messages, the audit log and `kubectl auth whoami`: the token's name, `meridian:local` or `system:anonymous`.
    let name: String
    /// The token object's uid; empty for callers without one.
    let uid: String
    /// Kubernetes' words: `system:authenticated`, and one group for the role.
    let groups: [String]
    /// Nil: only what everybody may do.
    let role: AccessRole?
    /// Where the role holds; empty: everywhere, and for cluster-scoped objects.
    let namespaces: Set<String>
    /// The node of a caller in the role `node`.
    let node: String?

    /// Whoever asks over a loopback address without encryption and without a token: a person at this machine.
    static let local = Caller(
        name: "meridian:local",
        groups: ["meridian:admins", authenticatedGroup],
        role: .admin
    )

    /// Whoever asks over TLS without a token.
    static let anonymous = Caller(name: "system:anonymous", groups: ["system:unauthenticated"], role: nil)

    /// A part of the platform that writes by itself, such as a GitSource.
    static func platform(_ part: String) -> Caller {
        Caller(name: "system:\(part)", groups: ["meridian:platform"], role: .admin)
    }

    private static let authenticatedGroup = "system:authenticated"

    /// The holder of a token.
    init(_ token: AccessToken) {
        self.init(
            name: token.spec.node.map { "system:node:\($0)" } ?? token.metadata.name,
            uid: token.metadata.uid,
            groups: ["meridian:\(token.spec.role.rawValue)s", Self.authenticatedGroup],
            role: token.spec.role,
            namespaces: Set(token.spec.namespaces),
            node: token.spec.node
        )
    }

    private init(
        name: String,
        uid: String = "",
        groups: [String],
        role: AccessRole?,
        namespaces: Set<String> = [],
        node: String? = nil
    ) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.role = role
        self.namespaces = namespaces
        self.node = node
    }

    /// Whether the caller may do what is asked.
    func allows(_ request: AccessRequest) -> Bool { rules.contains { allows(request, by: $0) } }

    /// The rules that hold for the caller in a namespace, as SelfSubjectRulesReview lists them.
    ///
    /// Empty for `namespace` means cluster-scoped objects and all namespaces at once.
    func rules(in namespace: String) -> [AccessRule] {
        rules.filter { rule in
            switch rule.reach {
            case .namespace: holds(in: namespace)
            case .cluster, .platformPath: namespaces.isEmpty
            case .shared, .path: true
            case .ownNode: node != nil
            }
        }
    }

    /// Throws 403 where the caller may not do what is asked, 401 where nobody said who is asking.
    func require(_ request: AccessRequest) throws(APIFailure) {
        guard !allows(request) else { return }
        throw role == nil ? .unauthorized() : .forbidden(request, to: self)
    }

    private var rules: [AccessRule] { AccessRule.everybody(isKnown: role != nil) + (role.map(AccessRule.rules) ?? []) }

    private func allows(_ request: AccessRequest, by rule: AccessRule) -> Bool {
        guard rule.verbs.contains(where: { $0 == request.verb || $0 == "*" }) else { return false }
        switch (request.target, rule.reach) {
        case (.path(let path), .path): return rule.names.contains { covers($0, path) }
        case (.path(let path), .platformPath):
            return namespaces.isEmpty && rule.names.contains { covers($0, path) }
        case (.path, _), (.resource, .path), (.resource, .platformPath): return false
        case (.resource(let target), let reach):
            guard rule.names.contains(where: { $0 == target.path || $0 == "*" }) else { return false }
            return reaches(reach, target)
        }
    }

    private func reaches(_ reach: AccessRule.Reach, _ target: AccessRequest.ResourceTarget) -> Bool {
        switch reach {
        case .namespace: holds(in: target.namespace)
        case .cluster: namespaces.isEmpty
        case .shared: true
        case .ownNode: node != nil && node == target.name
        case .path, .platformPath: false
        }
    }

    /// Whether the role holds in a namespace; of all namespaces at once (empty) only where it holds everywhere.
    private func holds(in namespace: String) -> Bool { namespaces.isEmpty || namespaces.contains(namespace) }

    /// Whether a path of a rule names `path`: the same, or everything below one that ends in `/*`.
    private func covers(_ pattern: String, _ path: String) -> Bool {
        pattern.hasSuffix("*") ? path.hasPrefix(pattern.dropLast()) : path == pattern
    }
}
