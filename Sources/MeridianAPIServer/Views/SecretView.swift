// SecretView: Meridian's Secret as Kubernetes' core Secret: `data` holds fingerprints on the way out, values on the way in.
internal import MeridianModel

/// The core form of a stored Secret: under each key the fingerprint of the sealed value, as base64.
///
/// A value itself is never shown; a fingerprint that comes back stands for the value that it was served for.
func maskedSecret(_ value: JSONValue) -> JSONValue {
    guard case .object(var object) = inCoreGroup(value) else { return value }
    let shown = (object["sealed"]?.object?.members ?? []).map { member in
        JSONObject.Member(key: member.key, value: .string(base64Text(Array((member.value.string ?? "").utf8))))
    }
    object["sealed"] = nil
    object["data"] = shown.isEmpty ? nil : .object(JSONObject(shown))
    if object["type"] == nil { object["type"] = "Opaque" }
    return .object(object)
}

/// A core Secret in the stored form: `data` is read as values (or as fingerprints of stored ones), `stringData` goes over it.
func storedSecret(_ value: JSONValue) throws(APIFailure) -> JSONValue {
    guard case .object(var object) = value, let data = object["data"] else { return value }
    object["data"] = nil
    if data.isNull { return .object(object) }
    guard case .object(let entries) = data else { throw .badRequest("data: expected a map, got \(data.typeName)") }
    var plain = JSONObject()
    var sealed = object["sealed"]?.object ?? JSONObject()
    for entry in entries.members {
        let text = try plainText(entry)
        if isFingerprint(text) { sealed[entry.key] = .string(text) } else { plain[entry.key] = .string(text) }
    }
    for entry in object["stringData"]?.object?.members ?? [] { plain[entry.key] = entry.value }
    object["stringData"] = plain.isEmpty ? nil : .object(plain)
    object["sealed"] = sealed.isEmpty ? nil : .object(sealed)
    return .object(object)
}

private func plainText(_ entry: JSONObject.Member) throws(APIFailure) -> String {
    let place = FieldPath("data", entry.key)
    // Kubernetes' clients write an empty value as null.
    if entry.value.isNull { return "" }
    guard let encoded = entry.value.string, let bytes = base64Bytes(encoded) else {
        throw .badRequest("\(place): illegal base64 data; encode the value, or write it into stringData as it is")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .badRequest(
            "\(place): the value is not UTF-8 text. Values become environment variables; encode binary ones as base64"
                + " once more and let the program decode them"
        )
    }
    return text
}

/// Whether a text has the form of a fingerprint, which `SealingPort` fixes.
private func isFingerprint(_ text: String) -> Bool {
    let digits = text.dropFirst("sealed:".count)
    return text.hasPrefix("sealed:") && !digits.isEmpty && digits.utf8.count <= 64
        && digits.allSatisfy { $0.isASCII && $0.isHexDigit }
}
