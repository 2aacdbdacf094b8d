// PackedSources: the sources of the Apps that are sent, packed and named by their digests.

internal import Glibc
internal import MeridianContent
internal import MeridianManifests
internal import MeridianModel

/// Packs the directories that Apps name, each once, into a temporary directory that goes away with this value.
final class PackedSources {
    /// One packed directory.
    struct Source: Sendable {
        let digest: Digest
        /// The archive.
        let file: String
    }

    private let directory: String
    /// By the directory's real path.
    private var sources: [String: Source] = [:]

    /// Makes the temporary directory below `$TMPDIR`, else /tmp.
    init(_ context: CommandContext) throws(CommandFailure) {
        let base = context.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(base)/meridian-sources-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            let reason = "no temporary directory can be made: \(String(cString: strerror(errno)))"
            throw CommandFailure(base, reason, next: "Set TMPDIR to a writable directory")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for source in sources.values { unlink(source.file) }
        rmdir(directory)
    }

    /// The packed sources, in the order in which they were packed first.
    var all: [Source] { sources.values.sorted { $0.file < $1.file } }

    /// The object of `declared` with the digest of its source, which is packed now unless it was before.
    ///
    /// A manifest that names the digest itself, as `meridian export` writes it, means that very content: nothing is
    /// packed.
    func withDigest(_ declared: DeclaredObject) throws(CommandFailure) -> JSONValue {
        guard let app = declared.object as? App, let path = app.spec.source.path, app.spec.source.digest == nil else {
            return declared.json
        }
        let place = declared.place(of: FieldPath("spec", "source", "path"))
        let source = try pack(declared.document.resolved(path), place: place)
        return declared.json(withSource: source.digest)
    }

    private func pack(_ directory: String, place: String) throws(CommandFailure) -> Source {
        let real = realPath(directory) ?? directory
        if let packed = sources[real] { return packed }
        // Numbered, so that `all` has the order of packing; five digits outlast every set of manifests.
        let number = String(100_000 + sources.count)
        let file = "\(self.directory)/\(number).tar"
        do throws(ContentError) {
            let packed = try SourcePacking.pack(directory, to: file)
            let source = Source(digest: packed.digest, file: file)
            sources[real] = source
            return source
        } catch {
            unlink(file)
            throw CommandFailure(place, "the source cannot be packed: \(error)")
        }
    }

    private func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
