// IgnoreRules: the .gitignore files that lie on the way to a path, and what they say together.

/// The ignore files from the repository's root down to one directory (gitignore(5)).
struct IgnoreRules: Sendable {
    /// The patterns of one file and how deep below the start of all paths it lies.
    private struct Layer: Sendable {
        let depth: Int
        let patterns: [IgnorePattern]
    }

    private var layers: [Layer] = []

    /// Patterns in one file beyond this are not read: every file is compared with every pattern.
    private static let patternsMax = 10_000

    init() {}

    /// The rules with a file's text added that lies in a directory of `depth` components.
    func adding(_ text: String, depth: Int) -> IgnoreRules {
        let lines = text.split(omittingEmptySubsequences: true) { $0 == "\n" || $0 == "\r\n" }
        let patterns = lines.prefix(Self.patternsMax).compactMap { IgnorePattern(line: String($0)) }
        guard !patterns.isEmpty else { return self }
        var rules = self
        rules.layers.append(Layer(depth: depth, patterns: patterns))
        return rules
    }

    /// Whether the path is ignored, given that no directory above it is.
    ///
    /// The last pattern that matches decides; the deeper file comes last.
    func ignores(_ path: [String], isDirectory: Bool) -> Bool {
        for layer in layers.reversed() {
            let below = path.dropFirst(layer.depth)
            if let last = layer.patterns.last(where: { $0.matches(below, isDirectory: isDirectory) }) {
                return !last.isNegated
            }
        }
        return false
    }
}
