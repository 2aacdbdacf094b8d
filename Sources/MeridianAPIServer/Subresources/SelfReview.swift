// SelfReview: what a caller may ask about itself: who it is and what it may do.
internal import MeridianModel

/// The reviews that `kubectl auth` posts; they are answered and never stored.
enum SelfReview: CaseIterable {
    case access, rules, identity

    var kind: String {
        switch self {
        case .access: "SelfSubjectAccessReview"
        case .rules: "SelfSubjectRulesReview"
        case .identity: "SelfSubjectReview"
        }
    }

    var group: String { self == .identity ? "authentication.k8s.io" : "authorization.k8s.io" }

    var plural: String { kind.lowercased() + "s" }

    /// The review of a group with this plural; nil where there is none.
    static func named(_ plural: String, in group: String) -> SelfReview? {
        allCases.first { $0.group == group && $0.plural == plural }
    }

    /// The answer: the question with its status filled in.
    func answer(_ body: JSONValue?, by caller: Caller) throws(APIFailure) -> JSONValue {
        let spec = body?["spec"] ?? [:]
        guard case .object = spec else { throw .badRequest("spec: expected a map, got \(spec.typeName)") }
        var answer = JSONObject()
        answer["kind"] = .string(kind)
        answer["apiVersion"] = .string("\(group)/v1")
        answer["metadata"] = [:]
        switch self {
        case .access:
            answer["spec"] = spec
            let isAllowed = caller.allows(try AccessRequest(reviewed: spec))
            answer["status"] = isAllowed ? ["allowed": true] : ["allowed": false, "denied": true]
        case .rules:
            answer["spec"] = spec
            answer["status"] = Self.rules(caller, in: spec["namespace"]?.string ?? "")
        case .identity:
            answer["status"] = ["userInfo": Self.userInfo(caller)]
        }
        return .object(answer)
    }

    private static func userInfo(_ caller: Caller) -> JSONValue {
        var info = JSONObject()
        info["username"] = .string(caller.name)
        info["uid"] = caller.uid.isEmpty ? nil : .string(caller.uid)
        info["groups"] = .array(caller.groups.map { .string($0) })
        return .object(info)
    }

    private static func rules(_ caller: Caller, in namespace: String) -> JSONValue {
        func texts(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
        var resources: [JSONValue] = []
        var paths: [JSONValue] = []
        for rule in caller.rules(in: namespace) {
            if [.path, .platformPath].contains(rule.reach) {
                paths.append(["verbs": texts(rule.verbs), "nonResourceURLs": texts(rule.names)])
            } else {
                resources.append([
                    "verbs": texts(rule.verbs), "apiGroups": ["*"], "resources": texts(rule.names),
                ])
            }
        }
        return [
            "resourceRules": .array(resources), "nonResourceRules": .array(paths), "incomplete": false,
        ]
    }
}

extension AccessRequest {
    /// The question in the spec of a SelfSubjectAccessReview.
    fileprivate init(reviewed spec: JSONValue) throws(APIFailure) {
        func text(_ attributes: JSONValue, _ field: String) -> String { attributes[field]?.string ?? "" }
        switch (spec["resourceAttributes"], spec["nonResourceAttributes"]) {
        case (let attributes?, nil):
            let target = ResourceTarget(
                group: text(attributes, "group"),
                resource: text(attributes, "resource"),
                subresource: text(attributes, "subresource"),
                namespace: text(attributes, "namespace"),
                name: text(attributes, "name")
            )
            self.init(text(attributes, "verb"), .resource(target))
        case (nil, let attributes?): self.init(text(attributes, "verb"), .path(text(attributes, "path")))
        default: throw .badRequest("spec: give exactly one of resourceAttributes and nonResourceAttributes")
        }
    }
}
