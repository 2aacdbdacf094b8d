// Duration+Text: durations as manifests write them: `30s`, `1h30m`, `250ms`.

extension Duration {
    /// Whole milliseconds, rounded towards zero and clamped to `Int64`.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return product.addingReportingOverflow(attoseconds / 1_000_000_000_000_000).partialValue
    }

    /// Parses one or more of `<whole number>(ms|s|m|h|d)` in falling order of unit, or `0`; nil for anything else.
    ///
    /// The largest accepted value is 36,500 days.
    package init?(text: String) {
        if text == "0" {
            self = .zero
            return
        }
        var rest = Substring(text)
        var total: Int64 = 0
        var previous = Int64.max
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, digits.utf8.count <= 13, let amount = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard let unit = Self.units.first(where: { rest.hasPrefix($0.name) }), unit.milliseconds < previous else {
                return nil
            }
            rest = rest.dropFirst(unit.name.count)
            previous = unit.milliseconds
            let (product, overflow) = amount.multipliedReportingOverflow(by: unit.milliseconds)
            guard !overflow, product <= Self.textMillisecondsMax else { return nil }
            total += product
        }
        guard !text.isEmpty, total <= Self.textMillisecondsMax else { return nil }
        self = .milliseconds(total)
    }

    /// The shortest text that `init(text:)` reads back as this duration in whole milliseconds: `90s` is `1m30s`, zero is `0s`.
    package var text: String {
        var rest = max(0, wholeMilliseconds)
        guard rest > 0 else { return "0s" }
        var parts = ""
        for unit in Self.units.sorted(by: { $0.milliseconds > $1.milliseconds }) where rest >= unit.milliseconds {
            parts += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return parts
    }

    /// A century, so that sums of two durations never overflow.
    private static var textMillisecondsMax: Int64 { 36_500 * 86_400_000 }

    /// `ms` stands before `m`, since look-up is by prefix.
    private static var units: [(name: String, milliseconds: Int64)] {
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
    }
}
