// BackupReading: reads a backup to its end and compares every file with the list.
internal import Glibc
internal import MeridianModel

/// Reading of backups, which are taken as a whole or not at all.
package enum BackupReading {
    /// Far more than any registry; each entry costs memory while the backup is read.
    private static let limits = ArchiveLimits(bytesMax: 1 << 42, entriesMax: 400_000)

    /// Reads the backup in the file at `path`; the answer is its list, to which everything in it agrees.
    ///
    /// `receive` is called for every file before its content is known to be right, with the file's path in the archive
    /// and where to put it: nil means that the content is only compared. What it placed is worth nothing when this throws.
    /// - Throws: `.corrupted` where the backup was cut or changed anywhere, `.refused` where it is none.
    package static func read(
        _ path: String,
        placing receive: (TarPath) throws(ContentError) -> String? = { _ in nil }
    ) throws(ContentError) -> BackupManifest {
        do throws(ContentError) {
            var reader = TarReader(try OpenFile(path, O_RDONLY), limits: limits)
            var found: [BackupManifest.Entry] = []
            while let entry = try reader.next() {
                guard case .file(let size, _) = entry.kind else {
                    throw ContentError(.refused, "\(entry.path) is no file; backups hold nothing else")
                }
                if entry.path.description == BackupManifest.listName {
                    return try manifest(&reader, size, found)
                }
                let digest = try take(&reader, to: try receive(entry.path))
                found.append(BackupManifest.Entry(path: entry.path, size: size, digest: digest))
            }
            throw ContentError(.corrupted, "it has no list of what is in it; it was cut, or is no backup")
        } catch {
            throw ContentError(error.code, "\(path): \(error.message)")
        }
    }

    /// Writes the current file where it belongs, if anywhere; the answer is its digest.
    private static func take(_ reader: inout TarReader, to target: String?) throws(ContentError) -> Digest {
        var hash = SHA256()
        guard let target else {
            try reader.readBody { (piece) throws(ContentError) in hash.update(piece) }
            return hash.finish()
        }
        let file = try OpenFile(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try reader.readBody { (piece) throws(ContentError) in
            hash.update(piece)
            try file.write(piece)
        }
        try file.sync()
        return hash.finish()
    }

    /// Reads the list and its digest, and compares.
    private static func manifest(
        _ reader: inout TarReader,
        _ size: Int,
        _ found: [BackupManifest.Entry]
    ) throws(ContentError) -> BackupManifest {
        let list = try body(&reader, size, max: BackupManifest.bytesMax)
        guard let last = try reader.next(), last.path.description == BackupManifest.digestName,
            case .file(let digestSize, _) = last.kind
        else { throw ContentError(.corrupted, "the digest of its list is missing; it was cut or changed") }
        let digest = String(decoding: try body(&reader, digestSize, max: 100), as: UTF8.self)
        guard digest == "\(Digest.of(list).hex)\n" else {
            throw ContentError(.corrupted, "its list is not what was written; the file is damaged")
        }
        guard try reader.next() == nil else { throw ContentError(.corrupted, "something follows its list") }
        let manifest = try BackupManifest(bytes: list)
        for (entry, listed) in zip(found, manifest.entries) where entry != listed {
            throw ContentError(
                .corrupted,
                entry.path == listed.path
                    ? "\(entry.path) is not what was backed up (\(entry.digest), not \(listed.digest))"
                    : "\(entry.path) stands where \(listed.path) should"
            )
        }
        guard found.count == manifest.entries.count else {
            throw ContentError(.corrupted, "it has \(found.count) files, and lists \(manifest.entries.count)")
        }
        return manifest
    }

    private static func body(_ reader: inout TarReader, _ size: Int, max: Int) throws(ContentError) -> [UInt8] {
        guard size <= max else { throw ContentError(.refused, "an entry of \(size) bytes is too large") }
        var bytes: [UInt8] = []
        try reader.readBody { (piece) throws(ContentError) in bytes.append(contentsOf: piece) }
        return bytes
    }
}
