// Quantity: amounts of memory and processor time as the Kubernetes Resource Model writes them.

/// A number of bytes, written `256Mi`, `1Gi`, `512k`, `1048576`.
package struct ByteQuantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Bytes; never negative.
    package let bytes: Int64

    package init(bytes: Int64) { self.bytes = max(0, bytes) }

    /// `count` times 2²⁰ bytes.
    package static func mebibytes(_ count: Int64) -> ByteQuantity { ByteQuantity(bytes: count << 20) }

    /// Parses a whole number with an optional suffix Ki, Mi, Gi, Ti (powers of 1024) or k, M, G, T (powers of 1000).
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count)
        guard let amount = Int64(digits), let unit = Self.units.first(where: { $0.suffix == suffix }) else {
            return nil
        }
        let (bytes, overflow) = amount.multipliedReportingOverflow(by: unit.bytes)
        guard !overflow else { return nil }
        self.init(bytes: bytes)
    }

    /// The shortest exact form with a binary suffix: `268435456` is `256Mi`.
    package var description: String {
        guard bytes > 0 else { return "0" }
        for unit in Self.units where unit.suffix.hasSuffix("i") && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.suffix)"
        }
        return String(bytes)
    }

    package static func < (left: ByteQuantity, right: ByteQuantity) -> Bool { left.bytes < right.bytes }

    private static let units: [(suffix: String, bytes: Int64)] = [
        ("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10),
        ("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000), ("", 1),
    ]
}

/// An amount of processor time per time, in thousandths of one processor, written `500m`, `1`, `1.5`.
package struct CPUQuantity: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Thousandths of a processor; never negative.
    package let millicores: Int64

    package init(millicores: Int64) { self.millicores = max(0, millicores) }

    /// Parses whole processors (`2`), decimals with up to three places (`1.5`) or thousandths (`250m`).
    package init?(_ text: String) {
        if text.hasSuffix("m") {
            guard let milli = Self.whole(text.dropLast()) else { return nil }
            self.init(millicores: milli)
            return
        }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let cores = Self.whole(parts[0]), cores <= 1_000_000 else { return nil }
        guard parts.count == 2 else {
            self.init(millicores: cores * 1000)
            return
        }
        guard parts[1].utf8.count <= 3, let fraction = Self.whole(parts[1]) else { return nil }
        let scale: [Int64] = [1000, 100, 10, 1]
        self.init(millicores: cores * 1000 + fraction * scale[parts[1].utf8.count])
    }

    package var description: String { millicores % 1000 == 0 ? String(millicores / 1000) : "\(millicores)m" }

    package static func < (left: CPUQuantity, right: CPUQuantity) -> Bool { left.millicores < right.millicores }

    private static func whole(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.count <= 12, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int64(text)
    }
}
