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
    func answer(_ body: JSONValue?, by rights: any CallerRights) throws(APIFailure) -> JSONValue {
        let spec = body?["spec"] ?? [:]
        guard case .object = spec else { throw .badRequest("spec: expected a map, got \(spec.typeName)") }
        var answer = JSONObject()
        answer["kind"] = .string(kind)
        answer["apiVersion"] = .string("\(group)/v1")
        answer["metadata"] = [:]
        switch self {
        case .access:
            answer["spec"] = spec
            let isAllowed = rights.allows(try RightsQuestion(spec))
            answer["status"] = isAllowed ? ["allowed": true] : ["allowed": false, "denied": true]
        case .rules:
            answer["spec"] = spec
            answer["status"] = rights.rules(in: spec["namespace"]?.string ?? "")
        case .identity:
            answer["status"] = ["userInfo": rights.userInfo]
        }
        return .object(answer)
    }
}

/// What a caller asks whether it may do: a verb on a resource, or on a path.
struct RightsQuestion: Equatable {
    /// A path such as `/version`; nil where the question is about a resource.
    var path: String?
    var verb: String
    var group: String = ""
    var resource: String = ""
    var subresource: String = ""
    var namespace: String = ""
    var name: String = ""

    /// The question in the spec of a SelfSubjectAccessReview.
    init(_ spec: JSONValue) throws(APIFailure) {
        func text(_ attributes: JSONValue, _ field: String) -> String { attributes[field]?.string ?? "" }
        switch (spec["resourceAttributes"], spec["nonResourceAttributes"]) {
        case (let attributes?, nil):
            verb = text(attributes, "verb")
            group = text(attributes, "group")
            resource = text(attributes, "resource")
            subresource = text(attributes, "subresource")
            namespace = text(attributes, "namespace")
            name = text(attributes, "name")
        case (nil, let attributes?):
            verb = text(attributes, "verb")
            path = text(attributes, "path")
        default: throw .badRequest("spec: give exactly one of resourceAttributes and nonResourceAttributes")
        }
    }
}

/// What a caller is called and may do.
protocol CallerRights: Sendable {
    /// `{username, uid, groups}`.
    var userInfo: JSONValue { get }

    func allows(_ question: RightsQuestion) -> Bool

    /// The status of a SelfSubjectRulesReview for a namespace.
    func rules(in namespace: String) -> JSONValue
}

/// The rights of whoever is at this machine: all.
struct EverythingAllowed: CallerRights {
    var userInfo: JSONValue { ["username": "meridian:local", "groups": ["meridian:admins", "system:authenticated"]] }

    func allows(_ question: RightsQuestion) -> Bool { true }

    func rules(in namespace: String) -> JSONValue {
        [
            "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
            "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
        ]
    }
}
