// ObjectDiff: the difference between two states of one object, as text for people.
package import MeridianModel

/// The unified diff from `live` to `wanted`, in YAML of their normalized forms; empty where nothing differs.
///
/// `live` is nil where there is no object, so that every line is an addition; `wanted` is nil where the object goes.
/// The labels call it `name`, such as `App/default/hello`.
package func objectDiff(live: JSONValue?, wanted: JSONValue?, kind: Kind, name: String) -> String {
    unifiedDiff(
        old: normalizedLines(live, kind: kind),
        new: normalizedLines(wanted, kind: kind),
        labels: ("live/\(name)", "applied/\(name)")
    )
}

private func normalizedLines(_ object: JSONValue?, kind: Kind) -> [String] {
    guard let object else { return [] }
    return normalized(object, kind: kind).yamlText.split(separator: "\n", omittingEmptySubsequences: false)
        .dropLast().map(String.init)
}
