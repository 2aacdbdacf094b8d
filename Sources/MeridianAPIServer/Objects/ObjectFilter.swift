// ObjectFilter: which objects of a kind a list or watch asks for.
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
    private let labels: LabelSelector
    private let fields: [FieldRequirement]

    init(kind: Kind, namespace: String?, parameters: QueryParameters) throws(APIFailure) {
        self.namespace = namespace
        labels = try LabelSelector(parameters["labelSelector"] ?? "")
        fields = try Self.fieldRequirements(parameters["fieldSelector"] ?? "", kind: kind)
    }

    /// Whether objects are chosen by more than their namespace.
    var isSelective: Bool { !labels.isEmpty || !fields.isEmpty }

    func matches(_ key: ObjectKey, _ object: JSONValue) -> Bool {
        guard namespace == nil || key.namespace == namespace else { return false }
        guard isSelective else { return true }
        var values: [String: String] = [:]
        for member in object["metadata"]?["labels"]?.object?.members ?? [] { values[member.key] = member.value.string }
        return labels.matches(values)
            && fields.allSatisfy { ((object[$0.path]?.string ?? "") == $0.value) == $0.isEqual }
    }

    private static func fieldRequirements(_ text: String, kind: Kind) throws(APIFailure) -> [FieldRequirement] {
        var requirements: [FieldRequirement] = []
        for part in text.split(separator: ",") {
            guard let sign = ["!=", "==", "="].first(where: { part.contains($0) }),
                let range = part.firstRange(of: sign)
            else { throw .badRequest("invalid field selector \"\(part.prefix(80))\"; use field=value or field!=value") }
            let name = String(part[..<range.lowerBound].trimmed)
            guard supportedFields(of: kind).contains(name) else {
                throw .badRequest(
                    "field label not supported: \(name.prefix(80))."
                        + " Supported: \(supportedFields(of: kind).joined(separator: ", "))"
                )
            }
            let path = FieldPath(name.split(separator: ".").map { .field(String($0)) })
            let value = String(part[range.upperBound...].trimmed)
            requirements.append(FieldRequirement(path: path, value: value, isEqual: sign != "!="))
        }
        return requirements
    }

    private static func supportedFields(of kind: Kind) -> [String] {
        let common = ["metadata.name", "metadata.namespace"]
        guard kind.name == Event.kind else { return common }
        let object = ["kind", "namespace", "name", "uid"].map { "involvedObject.\($0)" }
        return common + object + ["reason", "type"]
    }
}
