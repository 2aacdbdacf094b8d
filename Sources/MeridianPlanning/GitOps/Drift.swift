// Drift: which fields of a live object are not what its configuration says.
package import MeridianModel

/// The fields that `config` sets and that `live` has otherwise, in the order of the configuration; at most `fieldsMax`.
///
/// Both are compared with their defaults written out, so that `60s` is `1m` and leaving a default out is writing it.
/// Fields that the configuration does not mention are nobody's business here. Lists are compared whole. The values of
/// a Secret cannot be compared; they count as different.
package func driftedFields(config: JSONValue, live: any APIObject, fieldsMax: Int = 20) -> [String] {
    guard let name = config["kind"]?.string, let kind = Kind.named(name) else { return [] }
    var context = DecodingContext()
    guard let wanted = kind.read(config, &context)?.encoded(explicit: true) else { return [] }
    var comparison = Comparison(wanted: wanted, live: live.encoded(explicit: true), fieldsMax: fieldsMax)
    for member in config.object?.members ?? [] where !Comparison.envelope.contains(member.key) {
        comparison.visit(member.value, at: FieldPath(member.key))
    }
    comparison.visitMetadata(config)
    return comparison.fields.map(\.description)
}

/// Whether every label and annotation of a configuration is on the live object as well.
package func hasMetadata(of config: JSONValue, _ live: any APIObject) -> Bool {
    func contains(_ field: String, _ present: [String: String]) -> Bool {
        (config["metadata"]?[field]?.object?.members ?? []).allSatisfy { present[$0.key] == $0.value.string }
    }
    return contains("labels", live.metadata.labels) && contains("annotations", live.metadata.annotations)
}

/// A walk along the fields of a configuration.
private struct Comparison {
    let wanted: JSONValue
    let live: JSONValue
    let fieldsMax: Int
    private(set) var fields: [FieldPath] = []

    /// What is no content; labels and annotations are compared by themselves.
    static let envelope: Set = ["apiVersion", "kind", "metadata", "status"]

    init(wanted: JSONValue, live: JSONValue, fieldsMax: Int) {
        self.wanted = wanted
        self.live = live
        self.fieldsMax = fieldsMax
    }

    mutating func visitMetadata(_ config: JSONValue) {
        for field in ["labels", "annotations"] {
            for member in config["metadata"]?[field]?.object?.members ?? [] {
                let path = FieldPath("metadata", field)[member.key]
                if live[path] != member.value { note(path) }
            }
        }
    }

    mutating func visit(_ given: JSONValue, at path: FieldPath) {
        guard fields.count < fieldsMax else { return }
        if case .object(let object) = given, !object.isEmpty {
            for member in object.members { visit(member.value, at: path[member.key]) }
            return
        }
        // A value that reads as absent, such as null for an optional field, is none on both sides.
        let (one, other) = (wanted[path] ?? .null, live[path] ?? .null)
        if one != other { note(path) }
    }

    private mutating func note(_ path: FieldPath) {
        if fields.count < fieldsMax { fields.append(path) }
    }
}
