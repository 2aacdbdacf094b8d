// Directories: giving whole directories to the user of builds, and measuring them.
internal import CLinux
internal import Glibc

/// Gives a directory with everything in it to a user and the group of the same number; links themselves change owner.
///
/// Only for trees that nobody else changes meanwhile: paths are looked up again for every entry.
func giveDirectory(_ path: String, to user: uid_t) throws(FileError) {
    try visit(path) { (entry, _) throws(FileError) in
        guard lchown(entry, user, user) == 0 else { throw FileError("change the owner of", entry) }
    }
}

/// The bytes that the files below a directory take on the disk; 0 where it is missing.
func directorySize(_ path: String) throws(FileError) -> Int64 {
    var total: Int64 = 0
    // st_blocks counts 512 bytes whatever the file system's block is (stat(2)).
    try visit(path) { (_, metadata) throws(FileError) in total += Int64(metadata.st_blocks) * 512 }
    return total
}

/// Visits a directory and everything in it once, without following links; what vanishes meanwhile is passed over.
private func visit(
    _ path: String,
    _ body: (_ path: String, _ metadata: stat) throws(FileError) -> Void
) throws(FileError) {
    var waiting = [path]
    while let next = waiting.popLast() {
        var metadata = stat()
        guard lstat(next, &metadata) == 0 else {
            guard errno == ENOENT else { throw FileError("look at", next) }
            continue
        }
        try body(next, metadata)
        guard metadata.st_mode & S_IFMT == S_IFDIR else { continue }
        guard let stream = opendir(next) else { throw FileError("list", next) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = entryName(entry)
            if name != ".", name != ".." { waiting.append("\(next)/\(name)") }
        }
    }
}

/// The name in a directory entry, which is valid until the next `readdir`.
func entryName(_ entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        // d_name is a NUL-terminated array inside the entry.
        pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
    }
}
