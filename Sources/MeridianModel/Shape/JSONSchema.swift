// JSONSchema: the subset of JSON Schema draft 2020-12 that shapes are described in.

/// One JSON Schema with the shapes it refers to.
package struct JSONSchema: Sendable {
    /// The keywords of this schema, as in `{"type": "string", "pattern": "…"}`.
    package var keywords: JSONObject
    /// The named schemas that `$ref`s here need, by name; collected into `$defs` at the top.
    package var definitions: [String: JSONObject]

    package init(_ keywords: JSONObject, definitions: [String: JSONObject] = [:]) {
        self.keywords = keywords
        self.definitions = definitions
    }

    /// A schema of the given keywords, in order.
    package init(_ keywords: KeyValuePairs<String, JSONValue>) {
        self.init(JSONObject(keywords.map { JSONObject.Member(key: $0.key, value: $0.value) }))
    }

    /// This schema with further keywords, which replace keywords of the same name.
    package func adding(_ extra: KeyValuePairs<String, JSONValue>) -> JSONSchema {
        var copy = self
        for (key, value) in extra { copy.keywords[key] = value }
        return copy
    }
}
