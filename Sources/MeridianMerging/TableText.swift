// TableText: objects as the rows of a table, by the columns of their kind.
package import MeridianModel

/// The columns of one kind's table, and the cells of its objects.
package struct TableText: Sendable {
    /// What stands where an object has no value: never empty, so that programs can split rows at white space.
    package static let emptyCell = "-"

    /// The words above the columns.
    package let header: [String]
    private let kind: Kind
    private let columns: [Kind.Column]
    private let showsNamespace: Bool
    private let now: Timestamp

    /// The table of a kind: `isWide` adds the columns that only `-o wide` shows, `showsNamespace` puts the namespace
    /// first, for lists over all namespaces, and ages count up to `now`.
    package init(kind: Kind, isWide: Bool = false, showsNamespace: Bool = false, now: Timestamp) {
        self.kind = kind
        self.showsNamespace = showsNamespace && kind.isNamespaced
        self.now = now
        columns = kind.columns.filter { isWide || !$0.isWide }
        header = (self.showsNamespace ? ["NAMESPACE"] : []) + ["NAME"] + columns.map(\.name)
    }

    /// The cells of one object as served, in the order of `header`.
    package func cells(of object: JSONValue) -> [String] {
        var context = DecodingContext()
        // Stored objects leave defaults out; the table shows them.
        let explicit = kind.read(object, &context)?.encoded(explicit: true) ?? object
        let metadata = object["metadata"]
        let names = [metadata?["name"]?.string ?? Self.emptyCell]
        let spaces = showsNamespace ? [metadata?["namespace"]?.string ?? Self.emptyCell] : []
        return spaces + names + columns.map { cell($0, of: explicit) }
    }

    private func cell(_ column: Kind.Column, of object: JSONValue) -> String {
        guard let value = object.value(atColumn: column.path) else { return Self.emptyCell }
        if column.isAge, let time = value.string.flatMap({ Timestamp($0) }) { return ageText(from: time, to: now) }
        let text = cellText(value)
        return text.isEmpty ? Self.emptyCell : text
    }

    /// The lines of a table, columns padded to the same width and three spaces apart, without spaces at their ends.
    package static func lines(_ rows: [[String]]) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            let padded = row.enumerated().map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
            }
            return padded.joined()
        }
    }
}

extension JSONValue {
    /// The value at a column's path: fields joined by dots, where `conditions[Ready]` is the condition of that type and
    /// stands for its status at the end of a path.
    fileprivate func value(atColumn path: String) -> JSONValue? {
        var value = self
        var endsInCondition = false
        for step in path.split(separator: ".") {
            let parts = step.split(separator: "[", maxSplits: 1)
            guard let field = parts.first, let next = value[String(field)] else { return nil }
            value = next
            endsInCondition = parts.count == 2
            guard endsInCondition else { continue }
            let type = parts[1].dropLast()
            guard let condition = next.array?.first(where: { $0["type"]?.string == String(type) }) else { return nil }
            value = condition
        }
        return endsInCondition ? value["status"] : value
    }
}

/// A value on one line: lists and maps joined by commas, control characters replaced, since terminals act on them.
private func cellText(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .string(let text): String(String.UnicodeScalarView(text.unicodeScalars.map(printable)))
    case .array(let elements): elements.map(cellText).joined(separator: ",")
    case .object(let object): object.members.map { "\($0.key)=\(cellText($0.value))" }.joined(separator: ",")
    default: value.text()
    }
}

private func printable(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    scalar.properties.generalCategory == .control ? " " : scalar
}

/// The time from `start` to `end` in one or two units, as kubectl writes ages: `45s`, `3m20s`, `7h5m`, `12d`.
package func ageText(from start: Timestamp, to end: Timestamp) -> String {
    let seconds = max(0, (end - start).wholeMilliseconds / 1000)
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
    func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        "\(large)\(largeUnit)" + (small > 0 ? "\(small)\(smallUnit)" : "")
    }
    switch seconds {
    case ..<120: return "\(seconds)s"
    case ..<600: return pair(minutes, "m", seconds % 60, "s")
    case ..<10_800: return "\(minutes)m"
    case ..<28_800: return pair(hours, "h", minutes % 60, "m")
    case ..<172_800: return "\(hours)h"
    case ..<691_200: return pair(days, "d", hours % 24, "h")
    default: return "\(days)d"
    }
}
