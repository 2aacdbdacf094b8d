// OutputFormat: the values of -o.

internal import ArgumentParser
internal import MeridianModel

/// How objects are printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case wide
    case yaml
    case json
    /// One `kind/name` per line.
    case name
}

/// How the verbs that write print what they wrote.
enum DocumentFormat: String, ExpressibleByArgument, CaseIterable {
    case yaml
    case json
    case name

    /// The text of `objects`: YAML documents, one JSON object or `List`, or one name per line.
    func text(_ objects: [JSONValue]) -> String {
        switch self {
        case .yaml: objects.map(\.yamlText).joined(separator: "---\n")
        case .json: (objects.count == 1 ? objects[0] : listObject(objects)).text(pretty: true) + "\n"
        case .name: objects.map { objectReference($0) + "\n" }.joined()
        }
    }
}

/// A `kind: List` of `objects`, as kubectl prints several.
func listObject(_ objects: [JSONValue]) -> JSONValue {
    ["apiVersion": "v1", "kind": "List", "items": .array(objects)]
}

/// `app/hello`.
func objectReference(_ object: JSONValue) -> String {
    let kind = object["kind"]?.string?.lowercased() ?? "object"
    return "\(kind)/\(object["metadata"]?["name"]?.string ?? "?")"
}
