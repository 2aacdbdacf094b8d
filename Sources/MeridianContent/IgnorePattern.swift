// IgnorePattern: one line of a .gitignore file, and whether a path matches it.

/// A pattern as gitignore(5) defines it, relative to the directory of its file.
struct IgnorePattern: Sendable, Hashable {
    /// One part between slashes.
    enum Part: Sendable, Hashable {
        /// `**`: any number of directories.
        case anyDirectories
        /// The bytes of a glob for one name.
        case glob([UInt8])
    }

    /// A leading `!`: what matches is kept after all.
    let isNegated: Bool
    /// A trailing `/`: only directories match.
    let isDirectoryOnly: Bool
    let parts: [Part]

    /// Lines longer than this are no patterns that anyone wrote.
    private static let lineBytesMax = 4096

    /// Reads one line; nil for blank lines, comments and patterns that can match nothing.
    init?(line: String) {
        guard line.utf8.count <= Self.lineBytesMax else { return nil }
        var text = Self.trimmed(Substring(line))
        guard !text.isEmpty, !text.hasPrefix("#") else { return nil }
        isNegated = text.hasPrefix("!")
        if isNegated { text = text.dropFirst() }
        isDirectoryOnly = text.hasSuffix("/")
        if isDirectoryOnly { text = text.dropLast() }
        let isAnchored = text.contains("/")
        let words = text.split(separator: "/")
        guard !words.isEmpty else { return nil }
        let named = words.map { $0 == "**" ? Part.anyDirectories : .glob(Array($0.utf8)) }
        parts = isAnchored ? named : [.anyDirectories] + named
    }

    /// Whether the path, given by its components below the pattern's directory, matches.
    func matches(_ path: ArraySlice<String>, isDirectory: Bool) -> Bool {
        guard isDirectory || !isDirectoryOnly else { return false }
        // reachable[i]: the parts before i can have consumed the components so far.
        var reachable = [Bool](repeating: false, count: parts.count + 1)
        reachable[0] = true
        closeOverEmptyMatches(&reachable)
        for (offset, component) in path.enumerated() {
            var next = [Bool](repeating: false, count: parts.count + 1)
            let isLast = offset == path.count - 1
            let name = Array(component.utf8)
            for (index, part) in parts.enumerated() where reachable[index] {
                switch part {
                // A trailing `**` matches what is inside a directory; elsewhere it passes over directories only.
                case .anyDirectories: next[index == parts.count - 1 ? parts.count : index] = true
                case .glob(let glob): if globMatches(glob, name) { next[index + 1] = true }
                }
                if case .anyDirectories = part, !isLast { next[index] = true }
            }
            closeOverEmptyMatches(&next)
            reachable = next
        }
        return reachable[parts.count]
    }

    /// `**` that is not the last part may also match no directory at all.
    private func closeOverEmptyMatches(_ reachable: inout [Bool]) {
        for index in parts.indices.dropLast() where reachable[index] && parts[index] == .anyDirectories {
            reachable[index + 1] = true
        }
    }

    /// Without trailing blanks, unless they are escaped, and without a carriage return.
    private static func trimmed(_ line: Substring) -> Substring {
        var text = line
        if text.unicodeScalars.last == "\r" { text = text.dropLast() }
        while text.hasSuffix(" "), !text.hasSuffix("\\ ") { text = text.dropLast() }
        return text
    }
}
