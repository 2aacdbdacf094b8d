// OpenAPISchemas: the kinds' JSON Schemas in the dialect of OpenAPI, as `kubectl explain` and `apply` read them.
internal import MeridianModel

/// The schemas of one group's resources, by name.
struct OpenAPISchemas {
    /// `#/components/schemas/` or `#/definitions/`, depending on the version of OpenAPI.
    let referencePrefix: String
    private(set) var schemas: [String: JSONObject] = [:]

    init(_ resources: [ServedResource], referencePrefix: String) {
        self.referencePrefix = referencePrefix
        for resource in resources { add(resource) }
    }

    /// The name of a kind's schema: `dev.meridian.v1.App`.
    static func name(of kind: Kind) -> String {
        kind.group.isEmpty ? "io.k8s.api.core.v1.\(kind.name)" : prefix + kind.name
    }

    private static let prefix = "dev.meridian.v1."

    private mutating func add(_ resource: ServedResource) {
        let document = resource.view == .pod ? podSchema : resource.kind.schema()
        let definitions = document["$defs"]?.object ?? JSONObject()
        for definition in definitions.members where schemas[Self.prefix + definition.key] == nil {
            schemas[Self.prefix + definition.key] = converted(definition.value.object ?? JSONObject(), definitions)
        }
        var own = converted(document, definitions)
        let kind = resource.kind
        if kind.group.isEmpty, resource.view != .pod { own = asCore(own, resource) }
        own["x-kubernetes-group-version-kind"] = [
            ["group": .string(kind.group), "version": "v1", "kind": .string(kind.name)]
        ]
        schemas[Self.name(of: kind)] = own
    }

    /// The schema of a kind that the core group serves a second time, with the fields that it has there.
    private func asCore(_ schema: JSONObject, _ resource: ServedResource) -> JSONObject {
        var schema = schema
        var properties = schema["properties"]?.object ?? JSONObject()
        properties["apiVersion"] = ["type": "string", "description": "The API's version: v1."]
        if resource.view == .coreSecret {
            properties["sealed"] = nil
            properties["data"] = [
                "type": "object", "additionalProperties": ["type": "string", "format": "byte"],
                "description":
                    "Values by key as base64; sealed before they are stored, and shown as fingerprints afterwards.",
            ]
        }
        schema["properties"] = .object(properties)
        return schema
    }

    /// A JSON Schema (draft 2020-12) in OpenAPI's words: references to components, no `const`, no closed objects.
    ///
    /// Recursion is bounded by the schemas, which are finite and refer to each other by name.
    private func converted(_ schema: JSONObject, _ definitions: JSONObject) -> JSONObject {
        var result = JSONObject()
        for member in schema.members {
            switch (member.key, member.value) {
            case ("$schema", _), ("$id", _), ("title", _), ("$defs", _), ("$ref", _): continue
            case ("const", let value): result["enum"] = [value]
            case ("properties", .object(let properties)):
                result["properties"] = .object(
                    JSONObject(
                        properties.members.map {
                            .init(key: $0.key, value: .object(converted($0.value.object ?? .init(), definitions)))
                        }
                    )
                )
            case ("items", .object(let items)): result["items"] = .object(converted(items, definitions))
            case ("additionalProperties", .object(let values)):
                result["additionalProperties"] = .object(converted(values, definitions))
            case ("additionalProperties", _): continue
            default: result[member.key] = member.value
            }
        }
        if case .string(let reference)? = schema["$ref"] {
            let name = String(reference.dropFirst("#/$defs/".count))
            let target: JSONValue = ["$ref": .string(referencePrefix + Self.prefix + name)]
            // Said once is enough: `explain` prints both descriptions.
            if result["description"] == definitions[name]?["description"] { result["description"] = nil }
            guard !result.isEmpty else { return target.object ?? JSONObject() }
            // In OpenAPI 3.0 nothing may stand beside a $ref.
            result["allOf"] = [target]
        }
        if isAnything(result) {
            result["type"] = "object"
            result["x-kubernetes-preserve-unknown-fields"] = true
        }
        return result
    }

    private func isAnything(_ schema: JSONObject) -> Bool {
        ["type", "allOf", "enum", "$ref"].allSatisfy { schema[$0] == nil }
    }

    /// What `kubectl explain pod` shows: the fields that `PodView` fills in.
    private var podSchema: JSONObject {
        let metadata: JSONValue = ["$ref": "#/$defs/Metadata", "description": "What the object carries about itself."]
        let schema: JSONValue = [
            "type": "object", "description": "A runner, shown as a read-only Pod.",
            "properties": [
                "apiVersion": ["type": "string", "description": "The API's version: v1."],
                "kind": ["type": "string", "description": "The object's kind."], "metadata": metadata,
                "spec": ["type": "object", "description": "The app, its revision and the node that runs it."],
                "status": ["type": "object", "description": "What the node reports of the runner."],
            ],
        ]
        return schema.object ?? JSONObject()
    }
}
