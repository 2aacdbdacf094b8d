// TopText: the table of `meridian top`, from two looks at what the nodes measured.
internal import MeridianModel

/// What the nodes had measured at one moment.
struct MeasuredMoment {
    let nodes: [NodeMeasures]
    let silent: [String]

    /// Reads the server's answer: `{nodes: […], silent: […]}`.
    ///
    /// Throws where it is none.
    init(_ json: JSONValue) throws {
        var context = DecodingContext()
        var nodes: [NodeMeasures] = []
        for (index, node) in (json["nodes"]?.array ?? []).enumerated() {
            if let node = NodeMeasures.decode(node, at: FieldPath("nodes")[index], &context) { nodes.append(node) }
        }
        guard context.problems.isEmpty else {
            throw CommandFailure(
                "server",
                "its measures cannot be read: \(context.problems[0].message)",
                next: "Use a client of the server's version"
            )
        }
        self.nodes = nodes
        silent = (json["silent"]?.array ?? []).compactMap(\.string)
    }
}

/// One line per app, or per revision, the busiest first.
struct TopText {
    private struct Row {
        var name: String
        var sums = MeasuredTarget()
        var bounds: [Int] = []
        var ready = 0
        var runners = 0

        var requests: Int { sums.answers.reduce(0, +) }
        var errors: Int { sums.answers.count > 5 ? sums.answers[5] : 0 }
    }

    let lines: [String]

    init(from before: MeasuredMoment, to now: MeasuredMoment, over time: Duration, byRevision: Bool) {
        var rows: [String: Row] = [:]
        for node in now.nodes {
            let earlier = before.nodes.first { ($0.node, $0.instance) == (node.node, node.instance) }
            let old = Dictionary(
                (earlier?.targets ?? []).map { ($0.target, $0) },
                uniquingKeysWith: { first, _ in first }
            )
            for target in node.targets {
                let name = byRevision ? target.target : target.app ?? target.target
                // A node that began anew has counted nothing before.
                let sums = target.since(old[target.target] ?? MeasuredTarget())
                var row = rows[name] ?? Row(name: name)
                row.sums = row.sums.adding(sums)
                row.bounds = node.durationBounds
                rows[name] = row
            }
            for runners in node.runners {
                let name = byRevision ? runners.revision : appPath(ofRevision: runners.revision) ?? runners.revision
                rows[name, default: Row(name: name)].runners += runners.count
                if runners.state == "ready" { rows[name]?.ready += runners.count }
            }
        }
        let order = rows.values.sorted { (-$0.requests, $0.name) < (-$1.requests, $1.name) }
        let head = ["NAME", "REQ/S", "P50", "P99", "5XX", "COLD", "IN-FLIGHT", "WAITING", "RUNNERS", "IN", "OUT"]
        let seconds = time / .seconds(1)
        let cells = [head] + order.map { Self.cells(of: $0, seconds) }
        lines = Self.aligned(cells) + now.silent.map { "node \($0) does not answer" }
    }

    private static func cells(of row: Row, _ seconds: Double) -> [String] {
        let sums = row.sums
        return [
            row.name, decimal(Double(row.requests) / seconds), duration(row, 0.5), duration(row, 0.99),
            "\(row.errors)", "\(sums.coldStarts)", "\(sums.inFlight)", "\(sums.parked)", "\(row.ready)/\(row.runners)",
            bytes(Double(sums.bytesIn) / seconds), bytes(Double(sums.bytesOut) / seconds),
        ]
    }

    /// One place behind the point below ten.
    private static func decimal(_ value: Double) -> String {
        guard value < 10 else { return "\(Int(value.rounded()))" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func bytes(_ value: Double) -> String {
        for (unit, size) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where value >= size {
            return decimal(value / size) + "\(unit)B/s"
        }
        return decimal(value) + "B/s"
    }

    /// The bound of the bucket in which that part of the requests ends; `-` without any.
    private static func duration(_ row: Row, _ part: Double) -> String {
        guard !row.bounds.isEmpty, let index = histogramBucket(ending: part, of: row.sums.durations) else { return "-" }
        return index < row.bounds.count ? time(row.bounds[index]) : ">\(row.bounds.last.map(time) ?? "")"
    }

    private static func time(_ microseconds: Int) -> String {
        switch microseconds {
        case ..<1000: "\(microseconds)µs"
        case ..<1_000_000: decimal(Double(microseconds) / 1000) + "ms"
        default: decimal(Double(microseconds) / 1_000_000) + "s"
        }
    }

    /// Names to the left, numbers to the right.
    private static func aligned(_ cells: [[String]]) -> [String] {
        let widths = (cells.first ?? []).indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            row.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }.joined(separator: "  ")
        }
    }
}
