// VersionRange: semantic versions and the ranges that tags are chosen by.

/// A semantic version (semver.org 2.0.0); build metadata is dropped, since it does not order versions.
package struct SemanticVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int
    package let patch: Int
    /// The identifiers of a pre-release: `rc`, `1`; none for a release.
    package let prerelease: [String]

    package init(_ major: Int, _ minor: Int, _ patch: Int, prerelease: [String] = []) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }

    /// Parses `1.2.3`, `v1.2.3` and `1.2.3-rc.1+build`; nil for anything else.
    package init?(_ text: String) {
        let body = (text.hasPrefix("v") ? text.dropFirst() : text[...]).prefix { $0 != "+" }
        let halves = body.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = halves[0].split(separator: ".", omittingEmptySubsequences: false).map(versionNumber)
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else {
            return nil
        }
        var identifiers: [String] = []
        if halves.count == 2 {
            identifiers = halves[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard identifiers.allSatisfy(isIdentifier) else { return nil }
        }
        self.init(major, minor, patch, prerelease: identifiers)
    }

    package var description: String {
        "\(major).\(minor).\(patch)" + (prerelease.isEmpty ? "" : "-" + prerelease.joined(separator: "."))
    }

    /// The order of semver.org §11: a pre-release comes before its release; numbers come before words.
    package static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let (l, r) = ((left.major, left.minor, left.patch), (right.major, right.minor, right.patch))
        if l != r { return l < r }
        guard !left.prerelease.isEmpty, !right.prerelease.isEmpty else {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (one, other) in zip(left.prerelease, right.prerelease) where one != other {
            switch (Int(one), Int(other)) {
            case (let one?, let other?): return one < other
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return one < other
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}

/// Versions between bounds: `1.2`, `1.x`, `^1.2.3`, `~1.2.3`, `>=1.2.0 <2.0.0`, and several of them by `||`.
///
/// A pre-release is in a range only where one of the range's bounds has one.
package struct VersionRange: Sendable, Hashable {
    /// From `low`, and below `high` where there is one.
    private struct Interval: Sendable, Hashable {
        var low: SemanticVersion?
        var includesLow = true
        var high: SemanticVersion?
        var includesHigh = false
    }

    private let text: String
    private let intervals: [Interval]

    /// Ranges joined by `||` in one text.
    private static let alternativesMax = 16

    /// Whether a version lies in the range.
    package func contains(_ version: SemanticVersion) -> Bool {
        intervals.contains { interval in
            let bounds = [interval.low, interval.high].compactMap(\.self)
            guard version.prerelease.isEmpty || bounds.contains(where: { !$0.prerelease.isEmpty }) else { return false }
            if let low = interval.low, version < low || (version == low && !interval.includesLow) { return false }
            if let high = interval.high, version > high || (version == high && !interval.includesHigh) { return false }
            return true
        }
    }

    /// The tag with the highest version in the range; nil where none is in it.
    package func highest(of tags: [String]) -> String? {
        let versions = tags.compactMap { tag in SemanticVersion(tag).map { (tag: tag, version: $0) } }
        return versions.filter { contains($0.version) }.max { ($0.version, $0.tag) < ($1.version, $1.tag) }?.tag
    }

    /// Parses a range; nil where it is of another form.
    package init?(_ text: String) {
        let alternatives = text.split(separator: "|").filter { !$0.allSatisfy { $0 == " " } }
        guard !alternatives.isEmpty, alternatives.count <= Self.alternativesMax, text.utf8.count <= 256 else {
            return nil
        }
        var intervals: [Interval] = []
        for alternative in alternatives {
            var interval = Interval()
            for word in alternative.split(separator: " ") {
                guard Self.narrow(&interval, by: String(word)) else { return nil }
            }
            intervals.append(interval)
        }
        self.text = text
        self.intervals = intervals
    }

    private static func narrow(_ interval: inout Interval, by word: String) -> Bool {
        let operators = [">=", "<=", ">", "<", "=", "^", "~"]
        let sign = operators.first(where: word.hasPrefix) ?? ""
        guard let (low, next, isWhole) = bounds(of: String(word.dropFirst(sign.count))) else { return false }
        switch sign {
        case ">=": (interval.low, interval.includesLow) = (low, true)
        // Beyond 1.2 is beyond all of 1.2.
        case ">": (interval.low, interval.includesLow) = isWhole ? (low, false) : (next, true)
        case "<": (interval.high, interval.includesHigh) = (low, false)
        case "<=": (interval.high, interval.includesHigh) = isWhole ? (low, true) : (next, false)
        case "^":
            (interval.low, interval.includesLow) = (low, true)
            (interval.high, interval.includesHigh) = (caretEnd(low), false)
        case "~":
            (interval.low, interval.includesLow) = (low, true)
            (interval.high, interval.includesHigh) = (
                isWhole ? SemanticVersion(low.major, low.minor + 1, 0) : next, false
            )
        default:
            (interval.low, interval.includesLow) = (low, true)
            (interval.high, interval.includesHigh) = isWhole ? (low, true) : (next, false)
        }
        return true
    }

    /// The first version that breaks compatibility with `version`.
    private static func caretEnd(_ version: SemanticVersion) -> SemanticVersion {
        if version.major > 0 { return SemanticVersion(version.major + 1, 0, 0) }
        return version.minor > 0
            ? SemanticVersion(0, version.minor + 1, 0) : SemanticVersion(0, 0, version.patch + 1)
    }

    /// What `1`, `1.2`, `1.x`, `*` or `1.2.3` begins with, the first version after all of it, and whether it is one version.
    private static func bounds(of text: String) -> (low: SemanticVersion, next: SemanticVersion?, isWhole: Bool)? {
        if let version = SemanticVersion(text) { return (version, nil, true) }
        var parts = (text.hasPrefix("v") ? text.dropFirst() : text[...]).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        while let last = parts.last, ["x", "X", "*"].contains(last) { parts.removeLast() }
        let numbers = parts.map(versionNumber)
        switch (numbers.count, numbers.first ?? nil, numbers.dropFirst().first ?? nil) {
        case (0, _, _) where !text.isEmpty: return (SemanticVersion(0, 0, 0), nil, false)
        case (1, let major?, _): return (SemanticVersion(major, 0, 0), SemanticVersion(major + 1, 0, 0), false)
        case (2, let major?, let minor?):
            return (SemanticVersion(major, minor, 0), SemanticVersion(major, minor + 1, 0), false)
        default: return nil
        }
    }
}

extension VersionRange: TextShapeValue {
    package static var textForm: String { "a range of versions such as 1.x, ^1.2.0 or >=1.2.0 <2.0.0" }
    package static var textPattern: String? { nil }
    package init?(shapeText: String) { self.init(shapeText) }
    package var shapeText: String { text }
}

/// A number without leading zeros, at most nine digits.
private func versionNumber(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 9, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        text == "0" || !text.hasPrefix("0")
    else { return nil }
    return Int(text)
}

private func isIdentifier(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D
        }
}
