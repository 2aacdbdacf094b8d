// ObjectPrinter: objects in the format of `get -o`.

internal import MeridianMerging
internal import MeridianModel

/// Prints objects of one kind, at once or one after the other.
struct ObjectPrinter {
    let kind: Kind
    /// Nil: the table.
    let format: OutputFormat?
    let showsNamespace: Bool
    let now: @Sendable () -> Timestamp
    /// The widths of the columns so far, so that rows which come later stand below the earlier ones.
    private var widths: [Int] = []
    private var hasHeader = false

    init(kind: Kind, format: OutputFormat?, showsNamespace: Bool, now: @escaping @Sendable () -> Timestamp) {
        self.kind = kind
        self.format = format
        self.showsNamespace = showsNamespace
        self.now = now
    }

    /// The text of `objects`.
    ///
    /// Where it `isStream` more may follow, so that documents are separated and never wrapped in a `List`.
    mutating func text(_ objects: [JSONValue], isStream: Bool) -> String {
        switch format {
        case nil, .wide: return table(objects)
        case .name: return DocumentFormat.name.text(objects)
        case .yaml where isStream: return objects.map { "---\n" + $0.yamlText }.joined()
        case .json where isStream: return objects.map { $0.text(pretty: true) + "\n" }.joined()
        case .yaml: return (objects.count == 1 ? objects[0] : listObject(objects)).yamlText
        case .json: return DocumentFormat.json.text(objects)
        }
    }

    private mutating func table(_ objects: [JSONValue]) -> String {
        guard !objects.isEmpty else { return "" }
        let table = TableText(kind: kind, isWide: format == .wide, showsNamespace: showsNamespace, now: now())
        var rows = objects.map(table.cells)
        if !hasHeader { rows.insert(table.header, at: 0) }
        hasHeader = true
        for row in rows {
            if widths.isEmpty { widths = row.map { _ in 0 } }
            for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) }
        }
        return rows.map { aligned($0) + "\n" }.joined()
    }

    private func aligned(_ row: [String]) -> String {
        let cells = row.enumerated().map { column, cell in
            column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count + 3)
        }
        return cells.joined()
    }
}
