// CommitSources: the directories of a commit that are apps' sources, packed into the registry.
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// Packs directories of commits, each content once.
final class CommitSources: Sendable {
    private let registry: any RegistryPort
    private let temporary: String
    /// By tree object and the ignore files above it: what they were packed to.
    private let packed = Mutex<[String: Digest]>([:])

    /// Digests that are remembered; beyond it all are found again by packing.
    private static let rememberedMax = 10_000

    init(registry: any RegistryPort, temporary: String) {
        self.registry = registry
        self.temporary = temporary
    }

    /// The digest of a packed directory, which is in the registry when this returns.
    func pack(_ directory: [String], of tree: CommitTree, _ blobs: BlobReader) async throws(GitError) -> Digest {
        let name = directory.isEmpty ? "." : directory.joined(separator: "/")
        let part = Array(tree.entries(in: directory))
        guard !part.isEmpty else { throw GitError(.pathMissing, "there is no directory \"\(name)\" in the commit") }
        let above = ignoreFiles(above: directory, in: tree)
        let identity = ([tree.directories[directory.joined(separator: "/")] ?? "root"] + above.map(\.object))
            .joined(separator: " ")
        let isWhole = !directory.isEmpty
        if isWhole, let known = packed.withLock({ $0[identity] }), await registry.contains(known) { return known }
        let digest = try await packed(directory, part + above, blobs)
        packed.withLock { packed in
            if packed.count >= Self.rememberedMax { packed = [:] }
            if isWhole { packed[identity] = digest }
        }
        return digest
    }

    /// The ignore files of the directories above one.
    private func ignoreFiles(above directory: [String], in tree: CommitTree) -> [TreeEntry] {
        directory.indices.compactMap { tree.entry(at: Array(directory[..<$0]) + [".gitignore"]) }
    }

    private func packed(
        _ directory: [String],
        _ entries: [TreeEntry],
        _ blobs: BlobReader
    ) async throws(GitError) -> Digest {
        let ignored = try await ignoreTexts(entries, blobs)
        let selected: [(file: ListedFile, path: TarPath)]
        do throws(ContentError) {
            selected = try SourcePacking.selection(of: directory, in: entries.map(\.listed)) { path in
                ignored[path] ?? ""
            }
        } catch {
            throw GitError(.refused, error.message)
        }
        let objects = Dictionary(entries.map { ($0.path, $0.object) }) { first, _ in first }
        let place = try makeTemporaryDirectory(in: temporary)
        defer { removeTemporary(place) }
        try await blobs.write(
            selected.compactMap { objects[$0.file.path] },
            into: place,
            bytesMax: ArchiveLimits.source.bytesMax
        )
        do throws(ContentError) {
            var items: [TarItem] = []
            for (index, one) in selected.enumerated() { items.append(try Self.item(one, file: "\(place)/\(index)")) }
            _ = try TarWriter.pack(items, to: "\(place)/source.tar")
        } catch {
            throw GitError(error.code == .unavailable ? .unavailable : .refused, error.message)
        }
        do throws(RegistryError) {
            return try await registry.put(file: "\(place)/source.tar")
        } catch {
            throw GitError(error.code == .refused ? .refused : .unavailable, error.message)
        }
    }

    private static func item(
        _ selected: (file: ListedFile, path: TarPath),
        file: String
    ) throws(ContentError) -> TarItem {
        guard case .symbolicLink = selected.file.kind else {
            return TarItem(
                path: selected.path,
                content: .file(file),
                isExecutable: selected.file.kind == .file(isExecutable: true)
            )
        }
        let bytes = try DurableFile.read(file, atMost: linkBytesMax)
        guard let target = String(validating: bytes, as: UTF8.self), !target.isEmpty else {
            throw ContentError(.refused, "\(selected.path): the link's target is not UTF-8. Remove it")
        }
        return TarItem(path: selected.path, content: .symbolicLink(target))
    }

    /// PATH_MAX; a longer target cannot be followed.
    static let linkBytesMax = 4096

    private func ignoreTexts(_ entries: [TreeEntry], _ blobs: BlobReader) async throws(GitError) -> [[String]: String] {
        let files = entries.filter { $0.path.last == ".gitignore" && $0.size <= SourcePacking.ignoreFileBytesMax }
        let texts = try await blobs.contents(of: files.map(\.object), bytesMax: CommitManifests.bytesMax)
        return Dictionary(zip(files.map(\.path), texts.map { String(decoding: $0, as: UTF8.self) })) { first, _ in first
        }
    }
}
