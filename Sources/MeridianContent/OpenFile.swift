// OpenFile: an open file descriptor that closes itself, with reads and writes that are whole or fail.
internal import Glibc

/// An open file or directory; closed when the value ends.
package struct OpenFile: ~Copyable {
    /// Valid while this value lives; not to be closed by others.
    package let descriptor: Int32
    /// How messages name the file.
    let path: String

    /// Takes over a descriptor.
    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens `path`, relative to the directory `base` where one is given; always close-on-exec (open(2)).
    package init(
        _ path: String,
        _ flags: Int32,
        mode: UInt32 = 0o600,
        in base: Int32? = nil,
        named: String? = nil
    ) throws(ContentError) {
        let opened = retryingOnInterrupt { openat(base ?? AT_FDCWD, path, flags | O_CLOEXEC, mode_t(mode)) }
        guard opened >= 0 else { throw .system("open", named ?? path) }
        descriptor = opened
        self.path = named ?? path
    }

    deinit { close(descriptor) }

    /// What the file is: kind, mode, size, times (fstat(2)).
    func status() throws(ContentError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system("look at", path) }
        return status
    }

    /// Writes all bytes at the current position.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(ContentError) {
        var rest = bytes
        while !rest.isEmpty {
            let written = retryingOnInterrupt { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            guard written > 0 else { throw .system("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Writes all bytes at the current position.
    package func write(_ bytes: [UInt8]) throws(ContentError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ContentError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Reads into `buffer` until it is full or the file ends; the answer is how many bytes were read.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ContentError) -> Int {
        try readFully(descriptor, path: path, into: buffer)
    }

    /// Hands the rest of the file to `body` in chunks.
    package func forEachChunk(
        _ body: (UnsafeRawBufferPointer) throws(ContentError) -> Void
    ) throws(ContentError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try read(into: chunk)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    /// Forces the content to the disk (fsync(2)); after an error the content must be taken as lost.
    package func sync() throws(ContentError) {
        guard retryingOnInterrupt({ Int(fsync(descriptor)) }) == 0 else { throw .system("sync", path) }
    }

    /// Large enough that system calls cost nothing beside hashing, small enough for the processor's cache.
    static let chunkBytes = 256 << 10
}

/// Reads from `descriptor` until `buffer` is full or the file ends; the answer is how many bytes were read.
func readFully(
    _ descriptor: Int32,
    path: String,
    into buffer: UnsafeMutableRawBufferPointer
) throws(ContentError) -> Int {
    var count = 0
    while count < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
        let step = retryingOnInterrupt { read(descriptor, rest.baseAddress, rest.count) }
        guard step >= 0 else { throw .system("read", path) }
        if step == 0 { break }
        count += step
    }
    return count
}

/// Repeats a system call while a signal interrupts it; signals are finite, so this ends.
func retryingOnInterrupt<Answer: SignedInteger>(_ call: () -> Answer) -> Answer {
    while true {
        let answer = call()
        if answer != -1 || errno != EINTR { return answer }
    }
}

extension stat {
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
    var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    var isSymbolicLink: Bool { st_mode & S_IFMT == S_IFLNK }
}
