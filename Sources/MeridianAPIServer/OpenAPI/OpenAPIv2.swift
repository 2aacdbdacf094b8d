// OpenAPIv2: the description of the API that kubectl 1.20 reads: OpenAPI 2.0 as a protobuf message.
internal import MeridianModel

/// The OpenAPI 2.0 document of all resources, encoded as gnostic's `openapi.v2.Document`
/// (github.com/google/gnostic, openapiv2/OpenAPIv2.proto), which is the only form that old kubectls parse.
func openAPIv2Document(version: String) -> [UInt8] {
    let resources = ServedResource.all
    let schemas = OpenAPISchemas(resources, referencePrefix: "#/definitions/").schemas.sorted { $0.key < $1.key }
    var document = ProtobufWriter()
    document.text(1, "2.0")
    document.message(2) { info in
        info.text(1, "Meridian")
        info.text(2, version)
    }
    document.message(8) { paths in
        for resource in resources where resource.kind.isDeclared {
            paths.message(2) { path in
                let place = resource.kind.isNamespaced ? "namespaces/{namespace}/\(resource.name)" : resource.name
                path.text(1, "\(resource.pathRoot)/\(place)/{name}")
                path.message(2) { item in item.message(8) { writePatch(of: resource, to: &$0) } }
            }
        }
    }
    document.message(9) { definitions in
        for (name, schema) in schemas { writeNamed(1, name, schema, to: &definitions) }
    }
    return document.bytes
}

/// The `patch` operation, by whose parameters kubectl learns that writes can be tried out.
private func writePatch(of resource: ServedResource, to operation: inout ProtobufWriter) {
    operation.text(5, "patch\(resource.kind.name)")
    operation.texts(6, ["application/json"])
    operation.texts(7, patchMediaTypes)
    for parameter in writeParameters {
        operation.message(8) { item in
            item.message(1) { $0.message(2) { $0.message(3) { writeQuery(parameter, to: &$0) } } }
        }
    }
    operation.message(9) { responses in
        responses.message(1) { named in
            named.text(1, "200")
            named.message(2) { $0.message(1) { $0.text(1, "OK") } }
        }
    }
    let kind = resource.kind
    writeExtension(
        13,
        "x-kubernetes-group-version-kind",
        ["group": .string(kind.group), "version": "v1", "kind": .string(kind.name)],
        to: &operation
    )
}

private func writeQuery(
    _ parameter: (name: String, type: String, summary: String),
    to query: inout ProtobufWriter
) {
    query.text(2, "query")
    query.text(3, parameter.summary)
    query.text(4, parameter.name)
    query.text(6, parameter.type)
}

private func writeNamed(_ number: Int, _ name: String, _ schema: JSONObject, to writer: inout ProtobufWriter) {
    writer.message(number) { named in
        named.text(1, name)
        named.message(2) { write(schema, to: &$0) }
    }
}

/// A schema: what `explain` shows, and no more.
///
/// Recursion is bounded by the schemas, which refer to each other by name.
private func write(_ schema: JSONObject, to writer: inout ProtobufWriter) {
    // `allOf` around a reference is OpenAPI 3's way; version 2 has the reference and the description side by side.
    let reference = schema["$ref"] ?? schema["allOf"]?.array?.first?["$ref"]
    writer.text(1, reference?.string ?? "")
    writer.text(2, schema["format"]?.string ?? "")
    writer.text(4, schema["description"]?.string ?? "")
    writer.texts(19, schema["required"]?.array?.compactMap(\.string) ?? [])
    if case .object(let values)? = schema["additionalProperties"] {
        writer.message(21) { $0.message(1) { write(values, to: &$0) } }
    }
    if reference == nil, let type = schema["type"]?.string { writer.message(22) { $0.texts(1, [type]) } }
    if case .object(let items)? = schema["items"] { writer.message(23) { $0.message(1) { write(items, to: &$0) } } }
    if case .object(let properties)? = schema["properties"] {
        writer.message(25) { list in
            for property in properties.members {
                writeNamed(1, property.key, property.value.object ?? JSONObject(), to: &list)
            }
        }
    }
    for member in schema.members where member.key.hasPrefix("x-kubernetes-") {
        writeExtension(31, member.key, member.value, to: &writer)
    }
}

/// A vendor extension; its value is YAML, of which JSON is a part.
private func writeExtension(_ number: Int, _ name: String, _ value: JSONValue, to writer: inout ProtobufWriter) {
    writer.message(number) { named in
        named.text(1, name)
        named.message(2) { $0.text(2, value.text()) }
    }
}
