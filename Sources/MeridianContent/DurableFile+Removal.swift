// DurableFile+Removal: deleting whole directory trees, whatever their entries are called.
internal import Glibc

extension DurableFile {
    /// Deletes a file, or a directory with all that is in it; links are deleted, not followed; missing is no error.
    ///
    /// Stays within the tree even while others change it, since every step is relative to an open directory.
    package static func remove(_ path: String) throws(ContentError) {
        let failure = removeEntry(AT_FDCWD, path, depth: 0)
        guard failure == 0 else {
            errno = failure
            throw .system("delete", path)
        }
    }

    /// Removes one entry of the directory `parent`; the answer is 0 or an error number.
    private static func removeEntry(_ parent: Int32, _ name: UnsafePointer<CChar>, depth: Int) -> Int32 {
        if unlinkat(parent, name, 0) == 0 || errno == ENOENT { return 0 }
        guard errno == EISDIR || errno == EPERM else { return errno }
        guard depth < treeDepthMax else { return ELOOP }
        // A directory without permissions would keep its entries; fchmodat does not follow where there is a directory.
        fchmodat(parent, name, 0o700, 0)
        let directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard directory >= 0 else { return errno }
        guard let stream = fdopendir(directory) else {
            let failure = errno
            close(directory)
            return failure
        }
        defer { closedir(stream) }
        let failure = removeEntries(of: stream, depth: depth)
        if failure != 0 { return failure }
        return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno
    }

    private static func removeEntries(of stream: OpaquePointer, depth: Int) -> Int32 {
        while true {
            errno = 0
            guard let entry = readdir(stream) else { return errno }
            let failure = withUnsafeBytes(of: &entry.pointee.d_name) { raw -> Int32 in
                let name = raw.assumingMemoryBound(to: CChar.self)
                guard let start = name.baseAddress else { return 0 }
                if strcmp(start, ".") == 0 || strcmp(start, "..") == 0 { return 0 }
                return removeEntry(dirfd(stream), start, depth: depth + 1)
            }
            if failure != 0 { return failure }
        }
    }

    /// Every level holds a descriptor and stack; no build makes trees like this.
    private static let treeDepthMax = 256
}
