// TreeFile: a descriptor that is closed once and read at any offset.
internal import CLinux
internal import Glibc

/// An open file or directory; closed when the last reference goes.
final class TreeFile: Sendable {
    let descriptor: Int32
    /// The path for messages.
    let path: String

    /// Takes ownership of `descriptor`.
    init(owning descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens a path of the host for reading, following links.
    convenience init(host path: String, flags: Int32 = O_RDONLY) throws(FileError) {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError("open", path) }
        self.init(owning: descriptor, path: path)
    }

    deinit { close(descriptor) }

    /// Opens `relative` below this directory; links that lead out of it are refused (openat2(2), RESOLVE_BENEATH).
    func open(beneath relative: String, directory: Bool = false) throws(FileError) -> TreeFile {
        // O_NONBLOCK: opening a FIFO that the build left behind must not wait for a writer.
        let flags = O_RDONLY | O_NONBLOCK | (directory ? O_DIRECTORY : 0)
        let opened = clinux_builds_open_beneath(descriptor, relative, flags)
        guard opened >= 0 else {
            let code = errno
            throw FileError("open", relative, code: code, words: code == EXDEV ? "it leads out of the source" : nil)
        }
        return TreeFile(owning: opened, path: relative)
    }

    /// The file's metadata.
    func metadata() throws(FileError) -> stat {
        var metadata = stat()
        guard fstat(descriptor, &metadata) == 0 else { throw FileError("look at", path) }
        return metadata
    }

    /// The bytes from the start to the end; refused above `limit`.
    func contents(atMost limit: Int) throws(FileError) -> [UInt8] {
        let size = Int(try metadata().st_size)
        guard size <= limit else {
            throw FileError("read", path, code: EFBIG, words: "it is larger than \(limit) bytes")
        }
        guard let bytes = read(at: 0, count: size) else { throw FileError("read", path, code: EIO) }
        return bytes
    }

    /// Exactly `count` bytes at `offset`; nil where the file is shorter or cannot be read.
    func read(at offset: UInt64, count: Int) -> [UInt8]? {
        guard count >= 0, let start = off_t(exactly: offset) else { return nil }
        var isComplete = true
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                // The window lies inside the buffer, since filled < count = its capacity.
                let window = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count]
                )
                let got = pread(descriptor, window.baseAddress, window.count, start + off_t(filled))
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else {
                    isComplete = false
                    return
                }
                filled += got
            }
        }
        return isComplete ? bytes : nil
    }

    /// The ELF facts of this file; nil where it is no regular ELF file.
    func elf() throws(ELFError) -> ELFFile? {
        guard let metadata = try? metadata(), metadata.st_mode & S_IFMT == S_IFREG else { return nil }
        return try ELFFile.parse(ELFBytes(count: UInt64(metadata.st_size)) { self.read(at: $0, count: $1) })
    }

    /// Copies the content to a new file at `destination` with `mode`.
    func copy(to destination: String, mode: mode_t) throws(FileError) {
        let target = Glibc.open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard target >= 0 else { throw FileError("create", destination) }
        defer { close(target) }
        var offset: off_t = 0
        let size = try metadata().st_size
        while offset < size {
            let sent = sendfile(target, descriptor, &offset, Int(size - offset))
            if sent < 0 && errno == EINTR { continue }
            guard sent >= 0 else { throw FileError("copy", path) }
            guard sent > 0 else { throw FileError("copy", path, code: EIO, words: "it became shorter meanwhile") }
        }
        guard fchmod(target, mode) == 0 else { throw FileError("change the mode of", destination) }
    }
}
