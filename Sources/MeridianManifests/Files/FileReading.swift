// FileReading: bounded reading of files and directories through Glibc.

internal import Glibc

/// What a directory entry is, symbolic links to files followed and to directories not.
enum EntryKind: Hashable {
    case file
    case directory
    /// Sockets, devices, dangling links and links to directories, which could lead in circles.
    case other
}

/// Reads files and directories with errors a person can act on.
enum FileReading {
    private static let chunkBytes = 64 << 10

    /// All bytes of the file at `path`, which may be a pipe; at most `limit`.
    static func bytes(of path: String, limit: Int) throws(FileProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw problem(errno, path: path) }
        defer { close(descriptor) }
        return try bytes(from: descriptor, limit: limit)
    }

    /// All bytes up to the end of an open file; at most `limit`.
    static func bytes(from descriptor: Int32, limit: Int) throws(FileProblem) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw problem(errno, path: "") }
            if count == 0 { return result }
            result += chunk[..<count]
            guard result.count <= limit else {
                throw FileProblem(message: "is larger than \(limit >> 20) MiB, which no manifest is. Split it")
            }
        }
    }

    /// What is at `path`, symbolic links followed.
    static func kind(of path: String) throws(FileProblem) -> EntryKind {
        var status = stat()
        guard stat(path, &status) == 0 else { throw problem(errno, path: path) }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    /// The entries of the directory `path` that are not hidden, sorted by name.
    static func entries(of path: String) throws(FileProblem) -> [(name: String, kind: EntryKind)] {
        guard let directory = opendir(path) else { throw problem(errno, path: path) }
        defer { closedir(directory) }
        var result: [(name: String, kind: EntryKind)] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw problem(errno, path: path) }
                return result.sorted { $0.name < $1.name }
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                bytes.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: bytes.pointee)) {
                    String(cString: $0)
                }
            }
            if !name.hasPrefix(".") { result.append((name, entryKind(of: "\(path)/\(name)"))) }
        }
    }

    private static func entryKind(of path: String) -> EntryKind {
        var status = stat()
        guard lstat(path, &status) == 0 else { return .other }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFLNK: return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? .file : .other
        default: return .other
        }
    }

    /// The absolute path of `path` without links, `.` and `..`; nil where there is nothing.
    static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func problem(_ code: Int32, path: String) -> FileProblem {
        switch code {
        case ENOENT where path.hasPrefix("http://") || path.hasPrefix("https://"):
            FileProblem(message: "is not read from the network. Download it and name the file, or pipe it to -f -")
        case ENOENT: FileProblem(message: "no such file or directory. Check the path after -f")
        case EACCES, EPERM: FileProblem(message: "permission denied. Make it readable for the user who runs this")
        default: FileProblem(message: "cannot be read: \(String(cString: strerror(code)))")
        }
    }
}
