// SourcePacking+Listing: the same archive from a listing of a repository's files instead of a directory on disk.

/// One file of a tree that is not on disk, such as a commit's.
package struct ListedFile: Sendable {
    /// What stands at a path.
    package enum Kind: Sendable, Hashable {
        case file(isExecutable: Bool)
        case symbolicLink
        /// What cannot be packed, in words: `a submodule`.
        case other(String)
    }

    /// From the repository's root; at least one component.
    package let path: [String]
    package let kind: Kind
    /// Bytes of the content.
    package let size: Int

    package init(path: [String], kind: Kind, size: Int) {
        self.path = path
        self.kind = kind
        self.size = size
    }
}

extension SourcePacking {
    /// The files of `listing` that `pack` would put into the archive of `directory` if they were checked out.
    ///
    /// `ignoreFile` gives the text of the `.gitignore` at a path of the listing. The answer is sorted by path; each
    /// comes with its path below `directory`.
    /// - Throws: `.refused` as `pack` does.
    package static func selection(
        of directory: [String],
        in listing: [ListedFile],
        limits: ArchiveLimits = .source,
        ignoreFile: ([String]) throws(ContentError) -> String
    ) throws(ContentError) -> [(file: ListedFile, path: TarPath)] {
        let name = directory.isEmpty ? "the repository" : directory.joined(separator: "/")
        let rules = try ListedRules(directory, listing, ignoreFile)
        var selected: [(file: ListedFile, path: TarPath)] = []
        var bytes = 0
        for file in listing where file.path.starts(with: directory) && file.path.count > directory.count {
            let below = Array(file.path.dropFirst(directory.count))
            guard !below.contains(where: isNeverPacked), !rules.ignore(file.path, below: directory.count) else {
                continue
            }
            if case .other(let words) = file.kind {
                throw ContentError(
                    .refused,
                    "\(shown(file.path.joined(separator: "/"))) is \(words), which is not fetched. Remove it"
                )
            }
            selected.append((file, try TarPath(below.joined(separator: "/"))))
            bytes += file.size
            guard selected.count <= limits.entriesMax, bytes <= limits.bytesMax else {
                throw ContentError(
                    .refused,
                    "\(name): the source has more than \(limits.bytesMax >> 20) MiB or \(limits.entriesMax) files."
                        + " Add what the build does not need to .gitignore"
                )
            }
        }
        return selected.sorted { $0.path < $1.path }
    }
}

/// The ignore files above and below one directory of a listing.
private struct ListedRules {
    /// By the directory that they hold in, all those above it included.
    private var rules: [[String]: IgnoreRules] = [:]

    init(
        _ directory: [String],
        _ listing: [ListedFile],
        _ read: ([String]) throws(ContentError) -> String
    ) throws(ContentError) {
        var texts: [[String]: String] = [:]
        for file in listing where file.path.last == ".gitignore" {
            guard case .file = file.kind else { continue }
            let holder = Array(file.path.dropLast())
            guard directory.starts(with: holder) || holder.starts(with: directory) else { continue }
            texts[holder] = try read(file.path)
        }
        let directories = Set(
            listing.filter { $0.path.starts(with: directory) }.flatMap { file in
                (0..<file.path.count).map { Array(file.path[..<$0]) }
            }
        ).union([directory])
        for place in directories.sorted(by: { $0.count < $1.count }) {
            var own = place.isEmpty ? IgnoreRules() : rules[Array(place.dropLast())] ?? IgnoreRules()
            if let text = texts[place] { own = own.adding(text, depth: place.count) }
            rules[place] = own
        }
    }

    /// Whether a file is ignored, itself or by a directory above it that lies below the first `depth` components.
    func ignore(_ path: [String], below depth: Int) -> Bool {
        for end in (depth + 1)...path.count {
            let part = Array(path[..<end])
            guard let rules = rules[Array(part.dropLast())] else { continue }
            if rules.ignores(part, isDirectory: end < path.count) { return true }
        }
        return false
    }
}
