// BackupBytes: a backup as a stream of bytes: each file as it is on the disk, then the list with the digests.
internal import Glibc
package import MeridianModel

/// One file that goes into a backup.
package struct BackupItem: Sendable {
    /// Where it stands in the backup.
    package let path: TarPath
    /// Where it is on the disk.
    package let source: String
    /// What the file must be; nil: whatever it is.
    package let digest: Digest?

    package init(path: TarPath, source: String, digest: Digest? = nil) {
        self.path = path
        self.source = source
        self.digest = digest
    }
}

/// A tar archive that is made while it is read; nothing of it stands in memory but a piece.
///
/// A file that grows meanwhile is taken as long as it was when its turn came. One that shrinks, or has another digest
/// than it must have, ends the stream with an error, and what was read so far is no backup.
package struct BackupBytes: AsyncSequence, Sendable {
    private let facts: BackupManifest.Facts
    private let items: [BackupItem]
    private let owner: any Sendable

    /// `owner` is kept until the last iteration has ended: what the items' files need in order to be there.
    package init(facts: BackupManifest.Facts, items: [BackupItem], owner: any Sendable) {
        self.facts = facts
        self.items = items
        self.owner = owner
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(maker: BackupMaker(facts: facts, items: items), owner: owner)
    }

    /// Makes the next piece when it is asked for.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let maker: BackupMaker
        fileprivate let owner: any Sendable

        package mutating func next() async throws -> [UInt8]? { try maker.next() }
    }
}

/// Makes the archive piece by piece.
private final class BackupMaker {
    /// What the next piece belongs to.
    private enum Stage {
        /// The file of an item that is open, with what is left of it.
        case file(Int, rest: Int)
        /// The item of that number is to be opened, or there are no more.
        case between(Int)
        case ended
    }

    private let facts: BackupManifest.Facts
    private let items: [BackupItem]
    private var stage = Stage.between(0)
    private var file: OpenFile?
    private var hash: SHA256?
    private var size = 0
    private var entries: [BackupManifest.Entry] = []

    init(facts: BackupManifest.Facts, items: [BackupItem]) {
        self.facts = facts
        self.items = items
    }

    /// The next bytes; nil at the end.
    func next() throws(ContentError) -> [UInt8]? {
        switch stage {
        case .between(let number) where number < items.count: return try open(number)
        case .between:
            stage = .ended
            return try closing()
        case .file(let number, let rest): return try read(number, rest)
        case .ended: return nil
        }
    }

    private func open(_ number: Int) throws(ContentError) -> [UInt8] {
        let item = items[number]
        let file = try OpenFile(item.source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let status = try file.status()
        guard status.isRegularFile else { throw ContentError(.refused, "\(item.source) is no regular file") }
        size = Int(status.st_size)
        let header = try header(item.path.description, size)
        self.file = consume file
        hash = SHA256()
        stage = .file(number, rest: size)
        return header
    }

    private func read(_ number: Int, _ rest: Int) throws(ContentError) -> [UInt8] {
        guard rest > 0 else { return try finish(number) }
        let wanted = min(rest, OpenFile.chunkBytes)
        var failure: ContentError?
        let piece = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
            do throws(ContentError) {
                count = try file?.read(into: UnsafeMutableRawBufferPointer(buffer)) ?? 0
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard piece.count == wanted else {
            throw ContentError(.unavailable, "\(items[number].source) shrank while it was read. Back up again")
        }
        piece.withUnsafeBytes { hash?.update($0) }
        stage = .file(number, rest: rest - wanted)
        return piece
    }

    /// Notes the file that was read to its end, and fills its last block.
    private func finish(_ number: Int) throws(ContentError) -> [UInt8] {
        let item = items[number]
        file = nil
        guard let digest = hash.take()?.finish() else { preconditionFailure("a file that is open is being digested") }
        guard item.digest == nil || item.digest == digest else {
            throw ContentError(.corrupted, "\(item.source) has the digest \(digest), not its own. Back up again")
        }
        entries.append(BackupManifest.Entry(path: item.path, size: size, digest: digest))
        stage = .between(number + 1)
        let padding = tarPadding(after: size)
        // An empty piece could be taken for the end by whoever sends it on.
        return padding > 0 ? [UInt8](repeating: 0, count: padding) : try next() ?? []
    }

    /// The list, its digest and the end of the archive.
    private func closing() throws(ContentError) -> [UInt8] {
        let list = BackupManifest(facts: facts, entries: entries).bytes
        guard list.count <= BackupManifest.bytesMax else {
            throw ContentError(.refused, "the list of \(entries.count) files is too long for a backup")
        }
        let digest = Array("\(Digest.of(list).hex)\n".utf8)
        var bytes: [UInt8] = []
        for (name, content) in [(BackupManifest.listName, list), (BackupManifest.digestName, digest)] {
            bytes += try header(name, content.count) + content
            bytes += [UInt8](repeating: 0, count: tarPadding(after: content.count))
        }
        return bytes + [UInt8](repeating: 0, count: 2 * TarHeader.blockBytes)
    }

    private func header(_ name: String, _ size: Int) throws(ContentError) -> [UInt8] {
        guard name.utf8.count <= TarHeader.nameBytesMax, size < TarHeader.sizeMax else {
            throw ContentError(.refused, "\(name) (\(size) bytes) is too large for a backup, or its name is too long")
        }
        return TarHeader(name: name, kind: .file, mode: 0o600, size: size).block
    }
}
