// DescribeText: one object and what belongs to it, in sections for people.

internal import MeridianMerging
internal import MeridianModel

/// The text of `meridian describe`.
struct DescribeText {
    let object: JSONValue
    let kind: Kind
    let now: Timestamp
    /// Tables of other objects below the object itself, in order: a title and its rows, header first.
    var tables: [(title: String, rows: [[String]])] = []

    /// All sections, separated by empty lines.
    var text: String {
        let sections = [identity, section("Spec", body("spec")), section("Status", status), conditions]
        let below = tables.map { table in
            section(table.title, table.rows.count > 1 ? indented(TableText.lines(table.rows)) : ["  none"])
        }
        return (sections + below).filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }.joined(
            separator: "\n"
        )
    }

    private var metadata: JSONValue { object["metadata"] ?? .null }

    private var identity: [String] {
        var rows = [["Name:", metadata["name"]?.string ?? "?"]]
        if let namespace = metadata["namespace"]?.string, !namespace.isEmpty { rows.append(["Namespace:", namespace]) }
        rows.append(["Kind:", kind.name])
        for (title, field) in [("Labels:", "labels"), ("Annotations:", "annotations")] {
            for (index, member) in (metadata[field]?.object?.members ?? []).enumerated() {
                rows.append([index == 0 ? title : "", "\(member.key)=\(member.value.string ?? member.value.text())"])
            }
        }
        if let created = metadata["creationTimestamp"]?.string {
            let age = Timestamp(created).map { " (\(ageText(from: $0, to: now)) ago)" } ?? ""
            rows.append(["Created:", created + age])
        }
        if let deleted = metadata["deletionTimestamp"]?.string { rows.append(["Deleting since:", deleted]) }
        if let generation = metadata["generation"]?.integer {
            let observed = object["status"]?["observedGeneration"]?.integer.map { " (observed: \($0))" } ?? ""
            rows.append(["Generation:", "\(generation)\(observed)"])
        }
        return TableText.lines(rows)
    }

    /// The member `name` as YAML; for kinds without a spec, everything that is neither identity nor status.
    private func body(_ name: String) -> [String] {
        if let spec = object[name] { return yaml(spec) }
        let own = ["apiVersion", "kind", "metadata", "status"]
        let rest = (object.object?.members ?? []).filter { !own.contains($0.key) }
        return rest.isEmpty ? [] : yaml(.object(JSONObject(rest)))
    }

    private var status: [String] {
        guard case .object(var status)? = object["status"] else { return [] }
        for shown in ["conditions", "observedGeneration"] { status[shown] = nil }
        return status.isEmpty ? [] : yaml(.object(status))
    }

    private var conditions: [String] {
        let conditions = object["status"]?["conditions"]?.array ?? []
        guard !conditions.isEmpty else { return [] }
        let rows = conditions.map { condition in
            let time = condition["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
            return ["type", "status", "reason"].map { condition[$0]?.string ?? "-" }
                + [time.map { ageText(from: $0, to: now) } ?? "-"]
        }
        let lines = TableText.lines([["TYPE", "STATUS", "REASON", "SINCE"]] + rows)
        let messages = [[]] + conditions.map { message($0["message"]?.string ?? "") }
        return section("Conditions", zip(lines, messages).flatMap { indented([$0]) + $1 })
    }

    /// A condition's message below its row, line by line.
    private func message(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).filter { !text.isEmpty || !$0.isEmpty }
            .map { "      \($0)" }
    }

    private func section(_ title: String, _ lines: [String]) -> [String] { lines.isEmpty ? [] : ["\(title):"] + lines }

    private func yaml(_ value: JSONValue) -> [String] {
        indented(value.yamlText.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init))
    }

    private func indented(_ lines: [String]) -> [String] { lines.map { $0.isEmpty ? $0 : "  " + $0 } }
}
