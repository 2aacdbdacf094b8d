// SourcePacking: an app's source directory as one archive whose digest depends on the content alone.
internal import Glibc

/// Packs the source of an app.
package enum SourcePacking {
    /// Packs what Git would see of `directory` into an archive at `archive`.
    ///
    /// `.gitignore` files count, in the directory, below it and above it up to the repository's root. `.git`, `.env`,
    /// `.env.*` and `.meridian` are never packed. Of modes only the executable bit is kept; order, times and owners
    /// change nothing. Directories that hold nothing are left out, as Git has none.
    /// - Throws: `.refused` above `limits` (naming the largest entries), for links that leave the directory, and for
    ///   devices, sockets and pipes; `.notFound`; `.unavailable`.
    package static func pack(
        _ directory: String,
        to archive: String,
        limits: ArchiveLimits = .source
    ) throws(ContentError) -> PackedTar {
        let items = try items(of: directory, limits: limits)
        return try TarWriter.pack(items, to: archive)
    }

    /// The files and links that `pack` puts into the archive, sorted by path.
    package static func items(
        of directory: String,
        limits: ArchiveLimits = .source
    ) throws(ContentError) -> [TarItem] {
        var status = stat()
        guard stat(directory, &status) == 0 else { throw .system("read the source", directory) }
        guard status.isDirectory else { throw ContentError(.refused, "\(directory) is not a directory") }
        var walk = SourceWalk(root: directory, limits: limits)
        let (rules, prefix) = try inheritedRules(of: directory)
        try walk.visit([], rules: rules, prefix: prefix)
        try walk.checkSize()
        return walk.items.sorted { $0.path < $1.path }
    }

    /// The rules above `directory` within its Git repository, and the components from that root to `directory`.
    private static func inheritedRules(of directory: String) throws(ContentError) -> (IgnoreRules, [String]) {
        guard let resolved = realpath(directory, nil) else { throw .system("resolve", directory) }
        defer { free(resolved) }
        let components = String(cString: resolved).split(separator: "/").map(String.init)
        var depth = components.count
        while depth > 0, access("/" + components[..<depth].joined(separator: "/") + "/.git", F_OK) != 0 { depth -= 1 }
        guard depth > 0, depth < components.count else { return (IgnoreRules(), []) }
        var rules = IgnoreRules()
        for end in depth..<components.count {
            let above = "/" + components[..<end].joined(separator: "/")
            rules = try ignoreFile(in: above).map { rules.adding($0, depth: end - depth) } ?? rules
        }
        return (rules, Array(components[depth...]))
    }

    /// The text of a directory's `.gitignore`; nil where there is none.
    static func ignoreFile(in directory: String) throws(ContentError) -> String? {
        let path = "\(directory)/.gitignore"
        var status = stat()
        // Git does not follow a link here either.
        guard lstat(path, &status) == 0, status.isRegularFile else { return nil }
        return String(decoding: try DurableFile.read(path, atMost: ignoreFileBytesMax), as: UTF8.self)
    }

    /// Generated ignore files have some kilobytes.
    package static let ignoreFileBytesMax = 1 << 20

    /// Repositories, secrets of the working copy, and Meridian's own data.
    static func isNeverPacked(_ name: String) -> Bool {
        name == ".git" || name == ".meridian" || name == ".env" || name.hasPrefix(".env.")
    }
}

/// One walk through a source directory.
private struct SourceWalk {
    let root: String
    let limits: ArchiveLimits
    private(set) var items: [TarItem] = []
    private var sizes: [(path: TarPath, bytes: Int)] = []
    private var bytes = 0

    /// How many of the largest files a refusal names.
    private static let largestShown = 5

    init(root: String, limits: ArchiveLimits) {
        self.root = root
        self.limits = limits
    }

    /// Visits a directory; `prefix` is the way from the repository's root to the source.
    mutating func visit(_ path: [String], rules: IgnoreRules, prefix: [String]) throws(ContentError) {
        let directory = ([root] + path).joined(separator: "/")
        let depth = prefix.count + path.count
        let rules = try SourcePacking.ignoreFile(in: directory).map { rules.adding($0, depth: depth) } ?? rules
        for name in try DurableFile.names(in: directory) where !SourcePacking.isNeverPacked(name) {
            var status = stat()
            guard lstat("\(directory)/\(name)", &status) == 0 else { throw .system("read", "\(directory)/\(name)") }
            let below = path + [name]
            if rules.ignores(prefix + below, isDirectory: status.isDirectory) { continue }
            if status.isDirectory {
                _ = try TarPath(below.joined(separator: "/"))
                try visit(below, rules: rules, prefix: prefix)
            } else {
                try add(TarPath(below.joined(separator: "/")), file: "\(directory)/\(name)", status)
            }
        }
    }

    /// Sums the files up against the limit once all are known, so that the message can name the largest.
    func checkSize() throws(ContentError) {
        guard bytes > limits.bytesMax else { return }
        let largest = sizes.sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }.prefix(Self.largestShown)
        let list = largest.map { "\($0.path) (\(mebibytes($0.bytes)))" }.joined(separator: ", ")
        throw ContentError(
            .refused,
            "\(root): the source has \(mebibytes(bytes)); at most \(mebibytes(limits.bytesMax)) are packed."
                + " The largest files: \(list). Add what the build does not need to .gitignore"
        )
    }

    private mutating func add(_ path: TarPath, file: String, _ status: stat) throws(ContentError) {
        guard items.count < limits.entriesMax else {
            throw ContentError(
                .refused,
                "\(root): the source has more than \(limits.entriesMax) files; \(path) is one too many."
                    + " Add what the build does not need to .gitignore"
            )
        }
        if status.isRegularFile {
            bytes += Int(status.st_size)
            sizes.append((path, Int(status.st_size)))
            let isExecutable = status.st_mode & 0o100 != 0
            items.append(TarItem(path: path, content: .file(file), isExecutable: isExecutable))
        } else if status.isSymbolicLink {
            items.append(TarItem(path: path, content: .symbolicLink(try target(of: file))))
        } else {
            throw ContentError(
                .refused,
                "\(file) is a socket, pipe or device and cannot be packed. Remove it or add it to .gitignore"
            )
        }
    }

    private func target(of link: String) throws(ContentError) -> String {
        var buffer = [CChar](repeating: 0, count: LinkTable.targetBytesMax + 1)
        let count = readlink(link, &buffer, buffer.count)
        guard count >= 0 else { throw .system("read the link", link) }
        guard let target = String(validating: buffer[..<count], as: UTF8.self), !target.isEmpty else {
            throw ContentError(.refused, "\(link): the link's target is not UTF-8. Remove it or add it to .gitignore")
        }
        return target
    }
}

/// `12.3 MiB`, for messages.
private func mebibytes(_ bytes: Int) -> String {
    let tenths = (bytes * 10 + (1 << 19)) >> 20
    return "\(tenths / 10).\(tenths % 10) MiB"
}
