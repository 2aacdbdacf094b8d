// FileChunks: a file's bytes as the body of a request.
internal import Glibc
internal import NIOCore

/// Reads a file piece by piece, so that an upload of 100 MB takes little memory.
struct FileChunks: AsyncSequence, Sendable {
    /// Large enough that a system call per piece costs nothing, small enough to hold several.
    private static let chunkBytes = 256 << 10

    let path: String
    /// The file's size when it was opened for the first time.
    let count: Int64

    /// - Throws: `.local` where there is no such file.
    init(_ path: String) throws(APIClientError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw APIClientError(.local, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        self.path = path
        count = Int64(status.st_size)
    }

    func makeAsyncIterator() -> Iterator { Iterator(path: path) }

    /// Owns the descriptor while the file is read.
    final class Iterator: AsyncIteratorProtocol {
        private let path: String
        private var file: Int32 = -1

        init(path: String) { self.path = path }

        deinit { if file >= 0 { close(file) } }

        func next() async throws -> ByteBuffer? {
            if file < 0 { file = open(path, O_RDONLY | O_CLOEXEC) }
            guard file >= 0 else { throw failure() }
            var buffer = ByteBufferAllocator().buffer(capacity: FileChunks.chunkBytes)
            var result = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FileChunks.chunkBytes) { bytes in
                result = read(file, bytes.baseAddress, FileChunks.chunkBytes)
                return Swift.max(0, result)
            }
            guard result >= 0 else { throw failure() }
            return result == 0 ? nil : buffer
        }

        private func failure() -> APIClientError {
            APIClientError(.local, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
    }
}
