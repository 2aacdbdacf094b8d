// ObjectFilter: which objects of a resource a list or watch asks for.
internal import MeridianModel

/// A namespace, a label selector and a field selector together.
struct ObjectFilter {
    private struct FieldRequirement {
        let path: FieldPath
        let value: String
        let isEqual: Bool
    }

    /// nil: all namespaces.
    let namespace: String?
    /// nil: any name.
    private var name: String?
    private let view: ObjectView
    private let labels: LabelSelector
    private let fields: [FieldRequirement]
    /// Requirements of a field selector: more than anyone writes, few enough to check on every object of a list.
    private static let requirementsMax = 100

    init(_ resource: ServedResource, namespace: String?, parameters: QueryParameters) throws(APIFailure) {
        self.namespace = namespace
        view = resource.view
        labels = try LabelSelector(parameters["labelSelector"] ?? "")
        fields = try Self.fieldRequirements(parameters["fieldSelector"] ?? "", view: resource.view)
    }

    /// One object alone.
    init(_ resource: ServedResource, only key: ObjectKey, parameters: QueryParameters) throws(APIFailure) {
        try self.init(resource, namespace: key.namespace, parameters: parameters)
        name = key.name
    }

    /// Whether objects are chosen by more than their namespace.
    var isSelective: Bool { !labels.isEmpty || !fields.isEmpty }

    /// Whether a stored object is one of those that are asked for; its fields are those of the served form.
    func matches(_ key: ObjectKey, _ stored: JSONValue) -> Bool {
        guard namespace == nil || key.namespace == namespace, name == nil || key.name == name else {
            return false
        }
        guard isSelective else { return true }
        let object = view.shown(stored)
        var values: [String: String] = [:]
        for member in object["metadata"]?["labels"]?.object?.members ?? [] { values[member.key] = member.value.string }
        return labels.matches(values)
            && fields.allSatisfy { ((object[$0.path]?.string ?? "") == $0.value) == $0.isEqual }
    }

    private static func fieldRequirements(_ text: String, view: ObjectView) throws(APIFailure) -> [FieldRequirement] {
        var requirements: [FieldRequirement] = []
        for part in text.split(separator: ",") {
            guard let sign = ["!=", "==", "="].first(where: { part.contains($0) }),
                let range = part.firstRange(of: sign)
            else { throw .badRequest("invalid field selector \"\(part.prefix(80))\"; use field=value or field!=value") }
            let name = String(part[..<range.lowerBound].trimmed)
            guard supportedFields(of: view).contains(name) else {
                throw .badRequest(
                    "field label not supported: \(name.prefix(80))."
                        + " Supported: \(supportedFields(of: view).joined(separator: ", "))"
                )
            }
            let path = FieldPath(name.split(separator: ".").map { .field(String($0)) })
            let value = String(part[range.upperBound...].trimmed)
            requirements.append(FieldRequirement(path: path, value: value, isEqual: sign != "!="))
        }
        guard requirements.count <= requirementsMax else {
            throw .badRequest("fieldSelector has \(requirements.count) requirements; at most \(requirementsMax)")
        }
        return requirements
    }

    private static func supportedFields(of view: ObjectView) -> [String] {
        let common = ["metadata.name", "metadata.namespace"]
        switch view {
        case .event, .coreEvent:
            let object = ["apiVersion", "kind", "namespace", "name", "uid"].map { "involvedObject.\($0)" }
            return common + object + ["reason", "type"]
        case .pod: return common + ["spec.nodeName", "status.phase"]
        case .namespace, .coreNamespace: return common + ["status.phase"]
        case .coreSecret: return common + ["type"]
        case .stored: return common
        }
    }
}
