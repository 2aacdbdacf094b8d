// Kustomize: overlays of a commit built by the kustomize program, where it is installed.
internal import Glibc
internal import MeridianContent
internal import MeridianPorts

/// Runs `kustomize build` on files of a commit, without network, plugins and anything outside the repository.
struct Kustomize {
    let program: GitProgram
    let blobs: BlobReader

    /// Kustomize writes nothing but its output.
    private static let fileBytesMax = 1 << 20

    /// The names of a file that makes its directory an overlay.
    private static let names: Set = ["kustomization.yaml", "kustomization.yml", "Kustomization"]

    /// Whether a directory of the commit is an overlay.
    static func isOverlay(_ directory: [String], in tree: CommitTree) -> Bool {
        names.contains { tree.entry(at: directory + [$0]) != nil }
    }

    /// The manifests that the overlay in `directory` builds to.
    func build(_ directory: [String], of tree: CommitTree) async throws(GitError) -> [UInt8] {
        let shown = directory.isEmpty ? "." : directory.joined(separator: "/")
        guard let tool = tool() else {
            throw GitError(
                .unavailable,
                "\"\(shown)\" is a kustomize overlay, but kustomize is not installed. Install kustomize or kubectl"
            )
        }
        let place = try makeTemporaryDirectory(in: "\(program.root)/temporary")
        defer { removeTemporary(place) }
        try await checkOut(tree, into: place)
        let target = directory.isEmpty ? "\(place)/tree" : "\(place)/tree/\(shown)"
        let command = ChildCommand(
            // Without capabilities no namespace can be made, so that comes first.
            arguments: withoutNetwork + confinement(fileBytesMax: Self.fileBytesMax) + tool + [target],
            // No path: a remote base would be fetched with a git that is found there.
            environment: ["PATH=/nonexistent", "HOME=\(place)", "LC_ALL=C", "TMPDIR=\(place)"],
            outputBytesMax: CommitManifests.bytesMax,
            deadline: blobs.deadline
        )
        let end = await ChildProcess.run(command)
        guard end.succeeded else {
            let words = end.errors.split(whereSeparator: \.isNewline).map { shownLine($0.utf8) }.suffix(3)
            throw GitError(.refused, "kustomize build \(shown): \(words.joined(separator: "; "))")
        }
        return end.output
    }

    /// The program and its words before the directory.
    private func tool() -> [String]? {
        if let kustomize = executable("kustomize") { return [kustomize, "build"] }
        return executable("kubectl").map { [$0, "kustomize"] }
    }

    /// A network namespace of its own, in which there is nothing.
    private var withoutNetwork: [String] {
        guard let unshare = executable("unshare") else { return [] }
        return geteuid() == 0 ? [unshare, "--net", "--"] : [unshare, "--user", "--map-root-user", "--net", "--"]
    }

    /// Writes the commit's plain files below `place/tree`; links and submodules are left out.
    private func checkOut(_ tree: CommitTree, into place: String) async throws(GitError) {
        let files = tree.entries.filter { entry in
            guard case .file = entry.kind else { return false }
            return entry.size <= CommitManifests.bytesMax
                && [".yaml", ".yml", ".json", ".env", ".properties", ".toml"]
                    .contains { entry.text.hasSuffix($0) || entry.path.last == "Kustomization" }
        }
        guard files.reduce(0, { $0 + $1.size }) <= CommitManifests.bytesMax else {
            throw GitError(.refused, "the commit's files are too large for an overlay")
        }
        let texts = try await blobs.contents(of: files.map(\.object), bytesMax: CommitManifests.bytesMax)
        do throws(ContentError) {
            try DurableFile.createDirectory("\(place)/tree")
            for (file, text) in zip(files, texts) {
                let path = "\(place)/tree/\(file.text)"
                try DurableFile.createDirectory(DurableFile.directory(of: path))
                try DurableFile.write(text, to: path)
            }
        } catch {
            throw GitError(.unavailable, "\(error)")
        }
    }
}
