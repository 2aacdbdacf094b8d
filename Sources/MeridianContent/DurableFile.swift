// DurableFile: small files that are there as a whole after a crash, or not at all.
internal import Glibc

/// Reading and atomic writing of whole files.
package enum DurableFile {
    /// Configuration, route tables, keys: what is read as a whole stays far below this.
    package static let readBytesMax = 64 << 20

    /// All bytes of a regular file.
    ///
    /// - Throws: `.notFound`, `.refused` above `bytesMax`, `.unavailable`.
    package static func read(_ path: String, atMost bytesMax: Int = readBytesMax) throws(ContentError) -> [UInt8] {
        let file = try OpenFile(path, O_RDONLY)
        let status = try file.status()
        guard status.isRegularFile else { throw ContentError(.refused, "\(path) is not a regular file") }
        guard status.st_size <= bytesMax else {
            throw ContentError(.refused, "\(path) has \(status.st_size) bytes; at most \(bytesMax) are read here")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        try file.forEachChunk { (chunk) throws(ContentError) in
            guard bytes.count + chunk.count <= bytesMax else {
                throw ContentError(.refused, "\(path) grew beyond \(bytesMax) bytes while it was read")
            }
            bytes.append(contentsOf: chunk)
        }
        return bytes
    }

    /// Replaces the file at `path`, or creates it, so that a crash at any point leaves the old content or the new.
    ///
    /// The directory must exist. The new content is on the disk when this returns.
    /// The new file's permissions are `mode`, whatever the umask.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(ContentError) {
        try replace(path, mode: mode) { (file) throws(ContentError) in try file.write(bytes) }
    }

    /// Like `write`, with content that `fill` writes piece by piece.
    package static func replace(
        _ path: String,
        mode: UInt32 = 0o644,
        _ fill: (borrowing OpenFile) throws(ContentError) -> Void
    ) throws(ContentError) {
        let temporary = "\(path).\(getpid())-\(UInt64.random(in: .min ... .max)).tmp"
        do throws(ContentError) {
            try create(temporary, mode: mode, fill)
            guard rename(temporary, path) == 0 else { throw ContentError.system("put in place", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncDirectory(directory(of: path))
    }

    /// Creates the file with all its content, or does nothing where a file of that name exists.
    ///
    /// - Returns: whether this call created it.
    package static func createIfAbsent(_ bytes: [UInt8], at path: String, mode: UInt32) throws(ContentError) -> Bool {
        let temporary = "\(path).\(getpid())-\(UInt64.random(in: .min ... .max)).tmp"
        defer { unlink(temporary) }
        try create(temporary, mode: mode) { (file) throws(ContentError) in try file.write(bytes) }
        if link(temporary, path) != 0 {
            if errno == EEXIST { return false }
            throw .system("create", path)
        }
        try syncDirectory(directory(of: path))
        return true
    }

    /// Removes what processes that were killed while they wrote this file left beside it.
    ///
    /// Only for files with one writer: a write that is under way elsewhere would fail.
    package static func removeUnfinished(of path: String) throws(ContentError) {
        let directory = directory(of: path)
        let prefix = path.split(separator: "/").last.map { "\($0)." } ?? ""
        for name in try names(in: directory) where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
            unlink("\(directory)/\(name)")
        }
    }

    /// Creates a directory and its parents (mode 0755, the last one `mode`); those that exist are left as they are.
    package static func createDirectory(_ path: String, mode: UInt32 = 0o755) throws(ContentError) {
        if mkdir(path, mode_t(mode)) == 0 || errno == EEXIST { return }
        let parent = directory(of: path)
        guard errno == ENOENT, parent != path else { throw .system("create directory", path) }
        try createDirectory(parent)
        guard mkdir(path, mode_t(mode)) == 0 || errno == EEXIST else { throw .system("create directory", path) }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    ///
    /// - Throws: `.refused` for a name that is not UTF-8 or contains a control character.
    package static func names(in path: String) throws(ContentError) -> [String] {
        guard let stream = opendir(path) else { throw .system("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(validating: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let name, name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
                throw ContentError(.refused, "\(path) holds a name that is not printable UTF-8. Rename that entry")
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .system("list", path) }
        return names.sorted()
    }

    /// Forces a directory's entries to the disk, so that a rename or a new file in it outlives a crash.
    package static func syncDirectory(_ path: String) throws(ContentError) {
        try OpenFile(path, O_RDONLY | O_DIRECTORY).sync()
    }

    /// The directory that `path` is in: `.` for a bare name.
    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func create(
        _ path: String,
        mode: UInt32,
        _ fill: (borrowing OpenFile) throws(ContentError) -> Void
    ) throws(ContentError) {
        let file = try OpenFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        guard fchmod(file.descriptor, mode_t(mode)) == 0 else { throw .system("set the mode of", path) }
        try fill(file)
        try file.sync()
    }
}
