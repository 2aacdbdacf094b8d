// DirectoryRegistry+Receiving: how bytes become a blob, atomically and without losing a race against garbage collection.
internal import CLinux
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts

extension DirectoryRegistry {
    /// Writes a file through `fill`, which also digests, and gives it its name once it is whole and on the disk.
    func receive(
        _ fill: @escaping @Sendable (borrowing OpenFile, inout SHA256) throws(ContentError) -> Void
    ) async throws(RegistryError) -> Digest {
        try await offloaded { () throws(RegistryError) in
            let temporary = "\(incoming)/\(getpid())-\(UInt64.random(in: .min ... .max))"
            defer { unlink(temporary) }
            do throws(ContentError) {
                var hash = SHA256()
                let file = try OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
                try fill(file, &hash)
                try file.sync()
                let digest = hash.finish()
                try settle(temporary, as: digest)
                return digest
            } catch {
                throw .content(error)
            }
        }
    }

    /// Puts a whole file in place of the blob.
    ///
    /// A blob that is there already is replaced by equal bytes: that heals one that was damaged, and gives it a new age.
    private func settle(_ temporary: String, as digest: Digest) throws(ContentError) {
        guard rename(temporary, blob(digest)) == 0 else { throw .system("put in place", blob(digest)) }
        try DurableFile.syncDirectory(blobs)
    }

    /// Marks the blob as used now; false where it is not there.
    ///
    /// The mark is the access time, since the time of writing tells whether the file is still the one that was verified.
    /// The lock keeps the mark from falling between the collector's look and its deletion.
    func renewGrace(_ digest: Digest) -> Bool {
        withLock(LOCK_SH) { clinux_mark_used(blob(digest)) == 0 } ?? false
    }

    /// Runs `body` under the registry's lock; nil where the lock cannot be had.
    func withLock<Answer>(_ operation: Int32, _ body: () -> Answer) -> Answer? {
        let file = open("\(root)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard flock(file, operation) == 0 else { return nil }
        return body()
    }

    /// Deletes what crashed writers left behind.
    func removeAbandoned() throws(ContentError) {
        for name in try DurableFile.names(in: incoming) {
            var status = stat()
            let path = "\(incoming)/\(name)"
            guard stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > Self.abandonedSeconds else { continue }
            guard unlink(path) == 0 || errno == ENOENT else { throw .system("delete", path) }
        }
    }

    /// No upload of the largest blob takes this long; younger files may belong to another process.
    private static let abandonedSeconds = 3600
}
