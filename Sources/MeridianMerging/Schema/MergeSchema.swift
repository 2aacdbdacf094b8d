// MergeSchema: how each value of a kind is merged: as a whole, member by member, or item by item.
package import MeridianModel

/// How a value is merged and owned.
package indirect enum MergeType: Hashable, Sendable {
    /// By what the value is: objects by member, lists as a whole.
    case deduced
    /// A value without parts.
    case scalar
    /// An object or list that is owned as a whole.
    case atomic
    /// An object by its members: the declared ones, and all others of one type (nil: of none that is known).
    case map(fields: [String: MergeType], others: MergeType?)
    /// A list of scalars, each there once.
    case set
    /// A list of objects that are told apart by key fields; absent ones count as their default.
    case keyed([ListKey], item: MergeType)
    /// A type of the schema's table.
    case named(String)

    /// A key field of a list's items.
    package struct ListKey: Hashable, Sendable {
        package let name: String
        package let fallback: JSONValue?

        package init(_ name: String, fallback: JSONValue? = nil) {
            self.name = name
            self.fallback = fallback
        }
    }
}

/// The merge types of one kind of object.
package struct MergeSchema: Sendable {
    /// The types that others refer to by name.
    let types: [String: MergeType]
    /// The type of the object itself.
    let root: MergeType

    /// A schema of named types, of which `root` describes the object.
    package init(root: MergeType, types: [String: MergeType] = [:]) {
        self.root = root
        self.types = types
    }

    /// Every type deduced from the values: for objects without a schema.
    package static let deduced = MergeSchema(root: .deduced)

    /// The type behind a name; a name that leads nowhere is deduced.
    func resolved(_ type: MergeType) -> MergeType {
        guard case .named(let name) = type else { return type }
        return types[name] ?? .deduced
    }

    /// The type of a member of an object of `type`.
    func type(of field: String, in type: MergeType) -> MergeType {
        guard case .map(let fields, let others) = resolved(type) else { return .deduced }
        return fields[field] ?? others ?? .deduced
    }

    /// Whether an object of `type` declares the field by name.
    func declares(_ field: String, in type: MergeType) -> Bool {
        guard case .map(let fields, _) = resolved(type) else { return false }
        return fields[field] != nil
    }
}

extension MergeSchema {
    /// The schema of a kind, read from its JSON Schema with Kubernetes' `x-kubernetes-list-type`,
    /// `x-kubernetes-list-map-keys` and `x-kubernetes-map-type`.
    package init(kind: Kind) { self.init(jsonSchema: kind.schema()) }

    /// As `init(kind:)`, made once per kind: reading a whole schema would cost more than the merge it is for.
    static func of(_ kind: Kind) -> MergeSchema { byKind[kind.name] ?? MergeSchema(kind: kind) }

    private static let byKind = Dictionary(uniqueKeysWithValues: Kind.all.map { ($0.name, MergeSchema(kind: $0)) })

    /// The merge types of a JSON Schema whose `$ref`s lead to its `$defs`.
    package init(jsonSchema schema: JSONObject) {
        let reader = SchemaReader(definitions: schema["$defs"]?.object ?? JSONObject())
        let named = reader.definitions.members.map { ($0.key, reader.type(of: $0.value)) }
        self.init(root: reader.type(of: .object(schema)), types: Dictionary(uniqueKeysWithValues: named))
    }
}

/// Reads merge types from the keywords of a JSON Schema.
private struct SchemaReader {
    private static let referencePrefix = "#/$defs/"

    let definitions: JSONObject

    func type(of schema: JSONValue) -> MergeType {
        if schema["x-kubernetes-map-type"] == "atomic" { return .atomic }
        if let name = definition(schema) { return .named(name) }
        switch schema["type"]?.string {
        case "array": return list(schema)
        case "object":
            let fields = (schema["properties"]?.object?.members ?? []).map { ($0.key, type(of: $0.value)) }
            let others = schema["additionalProperties"].flatMap { $0.object == nil ? nil : type(of: $0) }
            return .map(fields: Dictionary(uniqueKeysWithValues: fields), others: others)
        case nil: return .deduced
        default: return .scalar
        }
    }

    private func list(_ schema: JSONValue) -> MergeType {
        let items = schema["items"] ?? [:]
        switch schema["x-kubernetes-list-type"]?.string {
        case "set": return .set
        case "map":
            let properties = (definition(items).flatMap { definitions[$0] } ?? items)["properties"]
            let names = (schema["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string)
            let keys = names.map { MergeType.ListKey($0, fallback: properties?[$0]?["default"]) }
            return .keyed(keys, item: type(of: items))
        default: return .atomic
        }
    }

    private func definition(_ schema: JSONValue) -> String? {
        guard let reference = schema["$ref"]?.string, reference.hasPrefix(Self.referencePrefix) else { return nil }
        return String(reference.dropFirst(Self.referencePrefix.count))
    }
}
