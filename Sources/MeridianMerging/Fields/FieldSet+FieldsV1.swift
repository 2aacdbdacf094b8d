// FieldSet+FieldsV1: field sets as `metadata.managedFields[].fieldsV1` holds them.
package import MeridianModel

/// The key that stands for the place itself where it has members below it too.
private let selfKey = "."

extension FieldSet {
    /// The set as Kubernetes' FieldsV1: nested objects, `{}` for a member, sorted.
    package var fieldsV1: JSONValue {
        let members = nodes.sorted { $0.key < $1.key }.map { element, node in
            var inner = node.children.fieldsV1.object?.members ?? []
            if node.isMember, !inner.isEmpty { inner.insert(.init(key: selfKey, value: [:]), at: 0) }
            return JSONObject.Member(key: element.fieldsV1Key, value: .object(JSONObject(inner)))
        }
        return .object(JSONObject(members))
    }

    /// Reads FieldsV1.
    ///
    /// - Throws: `MergeError` with code `malformed` that names the key which is none.
    package init(fieldsV1: JSONValue) throws(MergeError) {
        guard case .object(let object) = fieldsV1 else {
            throw MergeError(.malformed, "fieldsV1: expected an object, got \(fieldsV1.typeName)")
        }
        self.init()
        for member in object.members where member.key != selfKey {
            guard let element = PathElement(fieldsV1Key: member.key) else {
                throw MergeError(.malformed, "fieldsV1: \"\(member.key.prefix(80))\" does not name a field or item")
            }
            let children = try FieldSet(fieldsV1: member.value)
            set(element, isMember: children.isEmpty || member.value[selfKey] != nil, children: children)
        }
    }
}

extension PathElement {
    /// `f:name`, `k:{"port":80}`, `v:"fra"`, `i:0`.
    var fieldsV1Key: String {
        switch self {
        case .field(let name): return "f:\(name)"
        case .key(let fields):
            let members = fields.map { JSONObject.Member(key: $0.name, value: $0.value) }
            return "k:\(JSONValue.object(JSONObject(members)).canonicalText)"
        case .value(let value): return "v:\(value.canonicalText)"
        case .index(let index): return "i:\(index)"
        }
    }

    /// Reads a key of FieldsV1; nil where it is none.
    init?(fieldsV1Key key: String) {
        let text = String(key.dropFirst(2))
        switch key.prefix(2) {
        case "f:": self = .field(text)
        case "i:":
            guard let index = Int(text), index >= 0 else { return nil }
            self = .index(index)
        case "k:":
            guard case .object(let fields)? = Self.json(text), !fields.isEmpty else { return nil }
            self = .key(fields.members.map { (name: $0.key, value: $0.value) })
        case "v:":
            guard let value = Self.json(text) else { return nil }
            self = .item(value)
        default: return nil
        }
    }

    private static func json(_ text: String) -> JSONValue? {
        do throws(JSONSyntaxError) { return try JSONValue(parsing: text) } catch { return nil }
    }
}
