// Normalizing: the form of an object in which two states are compared: every default written, nothing that is noise.
package import MeridianModel

/// What stands in the place of a plain secret value in a diff.
package let hiddenValueText = "(hidden)"

/// The namespace of a namespaced object that names none.
package let defaultNamespace = "default"

/// Metadata that the server writes and no person compares.
private let serverMetadata = [
    "resourceVersion", "uid", "generation", "creationTimestamp", "deletionTimestamp", "managedFields",
]

/// The form of an object for comparison and diffs.
///
/// Every field that has a default is written out, in the order of the kind's declaration, so that leaving a default
/// out and writing it give the same form. Status, what the server writes into metadata, and annotations and finalizers
/// of Meridian's own are left out; plain secret values are replaced by `hiddenValueText`. An object that does not decode
/// keeps its fields as they are, without those parts.
package func normalized(_ object: JSONValue, kind: Kind) -> JSONValue {
    var context = DecodingContext()
    let explicit = kind.read(object, &context)?.encoded(explicit: true) ?? object
    guard case .object(var result) = explicit else { return explicit }
    result["status"] = nil
    if case .object(let metadata)? = result["metadata"] {
        result["metadata"] = .object(normalizedMetadata(metadata, kind: kind))
    }
    if kind.name == Secret.kind, case .object(let plain)? = result["stringData"] {
        let hidden = plain.members.map { JSONObject.Member(key: $0.key, value: .string(hiddenValueText)) }
        result["stringData"] = .object(JSONObject(hidden))
        if hidden.isEmpty { result["stringData"] = nil }
    }
    return .object(result)
}

private func normalizedMetadata(_ metadata: JSONObject, kind: Kind) -> JSONObject {
    var result = metadata
    for field in serverMetadata { result[field] = nil }
    if case .object(let annotations)? = result["annotations"] {
        result["annotations"] = .object(JSONObject(annotations.members.filter { !isOwn($0.key) }))
    }
    if case .array(let finalizers)? = result["finalizers"] {
        result["finalizers"] = .array(finalizers.filter { !isOwn($0.string ?? "") })
    }
    if kind.isNamespaced, result["namespace"]?.string ?? "" == "" { result["namespace"] = .string(defaultNamespace) }
    // Empty lists, maps and texts say nothing here, and lines that say nothing make diffs long.
    return JSONObject(result.members.filter { !isEmpty($0.value) })
}

private func isEmpty(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .string(""): true
    case .array(let elements): elements.isEmpty
    case .object(let object): object.isEmpty
    default: false
    }
}
