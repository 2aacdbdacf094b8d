// SourceTree: the unpacked source of a build, read without ever leaving its directory.
internal import CLinux
internal import Glibc

/// A directory that an untrusted build wrote to, read through its descriptor.
///
/// Used only while no process of the build lives, so what was looked at is what is copied.
final class SourceTree: Sendable {
    /// More files than any app's source and build products have; keeps every walk finite.
    static let entryCountMax = 400_000
    /// Deeper trees are refused; the walk recurses.
    static let depthMax = 64
    /// Project files such as pubspec.yaml that detection reads.
    static let projectFileLengthMax = 1 << 20

    /// One entry of a directory.
    struct Entry: Hashable {
        enum Kind { case file, directory, link, other }

        let name: String
        let kind: Kind
    }

    /// A regular file found by `files`.
    struct Found: Hashable {
        /// Relative to the tree.
        let path: String
        let size: Int64
        /// Nanoseconds since the epoch.
        let modified: Int64
    }

    /// The directory's path on the host.
    let path: String
    private let root: TreeFile

    init(path: String) throws(FileError) {
        self.path = path
        root = try TreeFile(host: path, flags: O_RDONLY | O_DIRECTORY)
    }

    /// Opens a file or directory of the tree.
    func open(_ relative: String) throws(FileError) -> TreeFile { try root.open(beneath: relative) }

    /// What `relative` is after following links inside the tree; nil where nothing is there.
    func kind(of relative: String) -> Entry.Kind? {
        guard let file = try? root.open(beneath: relative), let metadata = try? file.metadata() else { return nil }
        return switch metadata.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        default: .other
        }
    }

    /// Whether a regular file of this name is there.
    func hasFile(_ relative: String) -> Bool { kind(of: relative) == .file }

    /// The text of a project file; nil where it is missing, too long or not readable.
    func text(of relative: String) -> String? {
        guard let file = try? root.open(beneath: relative),
            let bytes = try? file.contents(atMost: Self.projectFileLengthMax)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The entries of a directory (`.` for the top), sorted by name.
    func entries(of relative: String) throws(FileError) -> [Entry] {
        let directory = try root.open(beneath: relative, directory: true)
        let duplicate = dup(directory.descriptor)
        guard duplicate >= 0 else { throw FileError("list", relative) }
        guard let stream = fdopendir(duplicate) else {
            let code = errno
            close(duplicate)
            throw FileError("list", relative, code: code)
        }
        defer { closedir(stream) }
        var entries: [Entry] = []
        while let entry = readdir(stream) {
            let name = entryName(entry)
            guard name != ".", name != ".." else { continue }
            guard entries.count < Self.entryCountMax else {
                throw FileError("list", relative, code: E2BIG, words: "it has more than \(Self.entryCountMax) entries")
            }
            entries.append(Entry(name: name, kind: Self.kind(of: name, in: directory)))
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// The regular files below `relative`, links not followed, without directories that `skips` names.
    func files(below relative: String = ".", skips: (String) -> Bool = { _ in false }) throws(FileError) -> [Found] {
        var found: [Found] = []
        var waiting: [(path: String, depth: Int)] = [(relative, 0)]
        while let (directory, depth) = waiting.popLast() {
            for entry in try entries(of: directory) {
                let path = directory == "." ? entry.name : "\(directory)/\(entry.name)"
                switch entry.kind {
                case .directory where !skips(entry.name):
                    guard depth < Self.depthMax else {
                        throw FileError("walk", path, code: ELOOP, words: "it is deeper than \(Self.depthMax) levels")
                    }
                    waiting.append((path, depth + 1))
                case .file:
                    let metadata = try root.open(beneath: path).metadata()
                    let modified = Int64(metadata.st_mtim.tv_sec) * 1_000_000_000 + Int64(metadata.st_mtim.tv_nsec)
                    found.append(Found(path: path, size: Int64(metadata.st_size), modified: modified))
                case .directory, .link, .other: break
                }
            }
            guard found.count <= Self.entryCountMax else {
                throw FileError("walk", relative, code: E2BIG, words: "it has more than \(Self.entryCountMax) files")
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    private static func kind(of name: String, in directory: TreeFile) -> Entry.Kind {
        var metadata = stat()
        guard fstatat(directory.descriptor, name, &metadata, AT_SYMLINK_NOFOLLOW) == 0 else { return .other }
        return switch metadata.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .link
        default: .other
        }
    }
}
