// VerifiedFiles: which files were found to have their digest, so that they are not read again each time.
internal import CLinux
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import Synchronization

/// What tells that a file is the one that was looked at before: its inode, size and time of last writing.
struct FileIdentity: Sendable, Hashable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    init(of file: borrowing OpenFile, named path: String) throws(ContentError) {
        var status = stat()
        guard fstat(file.descriptor, &status) == 0 else { throw .system("look at", path) }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}

/// The verified files of one registry.
final class VerifiedFiles: Sendable {
    private let files = Mutex<[Digest: FileIdentity]>([:])

    /// Some megabytes; a registry with more blobs in use reads some of them twice.
    private static let filesMax = 20_000

    func holds(_ digest: Digest, _ identity: FileIdentity) -> Bool { files.withLock { $0[digest] == identity } }

    func note(_ digest: Digest, _ identity: FileIdentity) {
        files.withLock { files in
            if files.count >= Self.filesMax { files = [:] }
            files[digest] = identity
        }
    }

    func forget(_ digest: Digest) { files.withLock { $0[digest] = nil } }
}
