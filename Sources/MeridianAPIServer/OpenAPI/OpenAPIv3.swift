// OpenAPIv3: the description of one group's resources that kubectl reads for explain, validation and server-side dry runs.
internal import MeridianModel

/// The parameters of a write; by those of PATCH kubectl learns that the server validates fields and tries writes out.
let writeParameters: [(name: String, type: String, summary: String)] = [
    ("dryRun", "string", "All: check and answer, but write nothing."),
    ("fieldManager", "string", "Who owns the fields that the write sets."),
    ("fieldValidation", "string", "Strict, Warn or Ignore: what unknown and duplicate fields lead to."),
    ("force", "boolean", "Take over fields that others own; for server-side apply."),
]

/// The media types of patches that every resource takes.
let patchMediaTypes = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]

/// The OpenAPI 3.0 document of a group (empty: the core group).
func openAPIv3Document(group: String, version: String) -> JSONValue {
    let resources = ServedResource.of(group: group)
    let schemas = OpenAPISchemas(resources, referencePrefix: "#/components/schemas/").schemas
    let sorted = schemas.sorted { $0.key < $1.key }.map {
        JSONObject.Member(key: $0.key, value: .object($0.value))
    }
    var paths = JSONObject()
    for resource in resources {
        let root = resource.pathRoot
        let place = resource.kind.isNamespaced ? "namespaces/{namespace}/\(resource.name)" : resource.name
        paths["\(root)/\(place)"] = .object(collectionPath(resource))
        paths["\(root)/\(place)/{name}"] = .object(objectPath(resource))
        for case let sub in resource.subresources where sub == .status {
            paths["\(root)/\(place)/{name}/\(sub.rawValue)"] = .object(objectPath(resource))
        }
    }
    return [
        "openapi": "3.0.0", "info": ["title": "Meridian", "version": .string(version)], "paths": .object(paths),
        "components": ["schemas": .object(JSONObject(sorted))],
    ]
}

extension ServedResource {
    /// `/apis/meridian.dev/v1`, or `/api/v1`.
    var pathRoot: String { kind.group.isEmpty ? "/api/v1" : "/apis/\(kind.apiVersion)" }
}

private func collectionPath(_ resource: ServedResource) -> JSONObject {
    var path = JSONObject()
    path["get"] = operation(resource, action: "list")
    if resource.kind.isDeclared {
        path["post"] = operation(resource, action: "post", body: ["application/json"])
        path["delete"] = operation(resource, action: "deletecollection")
    }
    path["parameters"] = resource.kind.isNamespaced ? [pathParameter("namespace")] : []
    return path
}

private func objectPath(_ resource: ServedResource) -> JSONObject {
    var path = JSONObject()
    path["get"] = operation(resource, action: "get")
    if resource.kind.isDeclared {
        path["put"] = operation(resource, action: "put", body: ["application/json"])
        path["patch"] = operation(resource, action: "patch", body: patchMediaTypes)
        path["delete"] = operation(resource, action: "delete")
    }
    let names = resource.kind.isNamespaced ? ["namespace", "name"] : ["name"]
    path["parameters"] = .array(names.map(pathParameter))
    return path
}

private func operation(_ resource: ServedResource, action: String, body types: [String] = []) -> JSONValue {
    let kind = resource.kind
    let reference: JSONValue = ["$ref": .string("#/components/schemas/\(OpenAPISchemas.name(of: kind))")]
    let answer: JSONValue = ["application/json": ["schema": action == "list" ? ["type": "object"] : reference]]
    var operation = JSONObject()
    operation["description"] = .string("\(action) \(kind.plural)")
    operation["operationId"] = .string("\(action)\(kind.group.isEmpty ? "Core" : "Meridian")V1\(kind.name)")
    if !types.isEmpty {
        operation["parameters"] = .array(writeParameters.filter { action == "patch" || $0.name != "force" }.map(query))
        let schema = action == "patch" ? ["type": "object"] : reference
        let content = types.map { JSONObject.Member(key: $0, value: ["schema": schema]) }
        operation["requestBody"] = ["required": true, "content": .object(JSONObject(content))]
    }
    operation["responses"] = ["200": ["description": "OK", "content": answer]]
    operation["x-kubernetes-action"] = .string(action)
    operation["x-kubernetes-group-version-kind"] = [
        "group": .string(kind.group), "version": "v1", "kind": .string(kind.name),
    ]
    return .object(operation)
}

private func query(_ parameter: (name: String, type: String, summary: String)) -> JSONValue {
    [
        "name": .string(parameter.name), "in": "query", "description": .string(parameter.summary),
        "schema": ["type": .string(parameter.type)],
    ]
}

private func pathParameter(_ name: String) -> JSONValue {
    ["name": .string(name), "in": "path", "required": true, "schema": ["type": "string"]]
}
