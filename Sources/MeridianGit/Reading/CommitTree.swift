// CommitTree: every path of one commit, as git lists it, checked.
internal import MeridianContent
internal import MeridianPorts

/// One path of a commit.
struct TreeEntry: Sendable {
    /// From the repository's root, without empty parts, `.` and `..`.
    let path: [String]
    let kind: ListedFile.Kind
    let object: String
    let size: Int

    var text: String { path.joined(separator: "/") }
    var listed: ListedFile { ListedFile(path: path, kind: kind, size: size) }
}

/// The files, links and directories of one commit.
struct CommitTree: Sendable {
    /// Files, links and submodules, sorted so that what is in a directory stands together.
    let entries: [TreeEntry]
    /// The tree object of each directory, by its path joined by slashes; the root is the empty text.
    let directories: [String: String]
    /// Paths that no manifest or source may have: not UTF-8, or with parts that a file system takes for something else.
    let unreadable: [String]

    /// Paths of one commit; a listing of so many fits the bound on output.
    static let entriesMax = 300_000

    /// Lists a commit of the repository that `git` runs on.
    init(
        of commit: String,
        _ git: (_ arguments: [String], _ outputBytesMax: Int) async -> ChildEnd
    ) async throws(GitError) {
        let end = await git(["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit], GitProgram.listingBytesMax)
        guard end.succeeded else { throw readFailure(end, "commit \(commit.prefix(12)) cannot be listed") }
        try self.init(listing: end.output, commit: commit)
    }

    /// Reads `<mode> SP <type> SP <object> SP <size> TAB <path> NUL` lines (git-ls-tree(1)).
    init(listing: [UInt8], commit: String) throws(GitError) {
        var entries: [TreeEntry] = []
        var directories: [String: String] = [:]
        var unreadable: [String] = []
        for line in listing.split(separator: 0) {
            guard let tab = line.firstIndex(of: 0x09) else { continue }
            let words = line[..<tab].split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 4 else { continue }
            guard let path = Self.path(line[(tab + 1)...]) else {
                unreadable.append(shownLine(line[(tab + 1)...]))
                continue
            }
            if words[1] == "tree" {
                directories[path.joined(separator: "/")] = words[2]
                continue
            }
            entries.append(
                TreeEntry(path: path, kind: Self.kind(mode: words[0]), object: words[2], size: Int(words[3]) ?? 0)
            )
            guard entries.count <= Self.entriesMax else {
                throw GitError(.refused, "the commit has more than \(Self.entriesMax) files", commit: commit)
            }
        }
        self.entries = entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        self.directories = directories
        self.unreadable = unreadable
    }

    private static func kind(mode: String) -> ListedFile.Kind {
        switch mode {
        case "100755": .file(isExecutable: true)
        case "120000": .symbolicLink
        case "160000": .other("a submodule")
        default: .file(isExecutable: false)
        }
    }

    /// The components of a path; nil for one that must not be used.
    private static func path(_ bytes: some Sequence<UInt8>) -> [String]? {
        guard let text = String(validating: Array(bytes), as: UTF8.self) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let areFine = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && part.lowercased() != ".git"
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        }
        return areFine ? parts : nil
    }

    /// The entries inside a directory, at any depth.
    func entries(in directory: [String]) -> ArraySlice<TreeEntry> {
        guard !directory.isEmpty else { return entries[...] }
        let start = firstIndex { !$0.lexicographicallyPrecedes(directory) }
        let end = firstIndex { !$0.starts(with: directory) && directory.lexicographicallyPrecedes($0) }
        return entries[start..<max(start, end)]
    }

    /// The entry at exactly this path; nil for directories and where there is nothing.
    func entry(at path: [String]) -> TreeEntry? {
        let index = firstIndex { !$0.lexicographicallyPrecedes(path) }
        return index < entries.count && entries[index].path == path ? entries[index] : nil
    }

    /// The first entry whose path satisfies a condition that holds from some place on.
    private func firstIndex(_ condition: ([String]) -> Bool) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if condition(entries[middle].path) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The components of `path` seen from `directory`; nil where it leaves the repository.
func resolvedPath(_ path: String, from directory: [String]) -> [String]? {
    guard !path.hasPrefix("/") else { return nil }
    var place = directory
    for part in path.split(separator: "/") where part != "." {
        if part != ".." {
            place.append(String(part))
        } else if place.popLast() == nil {
            return nil
        }
    }
    return place
}
