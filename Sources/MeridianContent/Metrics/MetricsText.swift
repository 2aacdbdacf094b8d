// MetricsText: metrics in Prometheus' text format (version 0.0.4).

/// Collects families of metrics and writes them.
package struct MetricsText {
    /// The media type of the text.
    package static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// The text so far; every line ends with a newline.
    package private(set) var text = ""

    /// Nothing collected yet.
    package init() {}

    /// What a metric is.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// Begins a family: its samples follow.
    ///
    /// `name` has the unit at its end and, for counters, `_total` after it; `help` is one line.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    }

    /// One sample of the family that was begun last.
    package mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Int) {
        text += "\(name)\(labelText(labels)) \(value)\n"
    }

    /// One sample of a value that is no whole number.
    package mutating func sample(_ name: String, _ labels: [(String, String)] = [], seconds value: Double) {
        text += "\(name)\(labelText(labels)) \(value)\n"
    }

    /// The samples of a histogram: `counts` by bucket, each bucket's upper bound but for the last, which has none, and
    /// the sum of all values, in seconds.
    package mutating func histogram(
        _ name: String,
        _ labels: [(String, String)],
        counts: [Int],
        bounds: [Double],
        sum: Double
    ) {
        var seen = 0
        for (bound, count) in zip(bounds, counts) {
            seen += count
            sample("\(name)_bucket", labels + [("le", "\(bound)")], seen)
        }
        let total = counts.reduce(0, +)
        sample("\(name)_bucket", labels + [("le", "+Inf")], total)
        sample("\(name)_sum", labels, seconds: sum)
        sample("\(name)_count", labels, total)
    }

    private func labelText(_ labels: [(String, String)]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",") + "}"
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
