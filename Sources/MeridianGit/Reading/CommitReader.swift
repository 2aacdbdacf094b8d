// CommitReader: from one commit in a repository on this machine to its objects and problems.
internal import MeridianContent
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPorts

/// Reads a commit whose files are all in the repository.
struct CommitReader: Sendable {
    let program: GitProgram
    let repository: String
    let sources: CommitSources
    let deadline: ContinuousClock.Instant

    private var blobs: BlobReader { BlobReader(program: program, repository: repository, deadline: deadline) }

    /// The objects below a path of the commit, with every app's source packed.
    func read(
        _ commit: GitCommit,
        path: String,
        rules: ManifestRules
    ) async throws(GitError) -> GitReading {
        do throws(GitError) {
            let tree = try await tree(of: commit)
            let root = path.split(separator: "/").map(String.init).filter { $0 != "." }
            var manifests = CommitManifests(tree: tree, rules: rules)
            let texts = try await texts(below: root, of: tree, &manifests)
            let read = manifests.objects(in: texts, below: root)
            var problems = manifests.problems
            var objects: [GitObject] = []
            for object in read {
                if let whole = await whole(object, tree, commit, &problems) { objects.append(whole) }
            }
            return GitReading(commit: commit, objects: objects, problems: sorted(problems))
        } catch {
            throw GitError(error.code, error.message, commit: commit.id)
        }
    }

    /// The digest of one packed directory of the commit.
    func pack(_ commit: GitCommit, path: String) async throws(GitError) -> Digest {
        let directory = path.split(separator: "/").map(String.init).filter { $0 != "." }
        return try await sources.pack(directory, of: try await tree(of: commit), blobs)
    }

    private func tree(of commit: GitCommit) async throws(GitError) -> CommitTree {
        try await CommitTree(of: commit.id) { arguments, bytesMax in
            await program.run(arguments, in: repository, outputBytesMax: bytesMax, deadline: deadline)
        }
    }

    private func texts(
        below root: [String],
        of tree: CommitTree,
        _ manifests: inout CommitManifests
    ) async throws(GitError) -> [(path: [String], text: [UInt8])] {
        if Kustomize.isOverlay(root, in: tree) {
            let text = try await Kustomize(program: program, blobs: blobs).build(root, of: tree)
            // The lines of a problem are those of the overlay's output.
            return [(root + ["kustomization.yaml"], text)]
        }
        let files = try manifests.files(below: root, links: try await linkTargets(of: tree))
        let contents = try await blobs.contents(
            of: files.map(\.content.object),
            bytesMax: CommitManifests.bytesMax
        )
        return zip(files, contents).map { ($0.file.path, $1) }
    }

    /// The targets of the commit's links, by their objects.
    private func linkTargets(of tree: CommitTree) async throws(GitError) -> [String: String] {
        let links = tree.entries.filter { $0.kind == .symbolicLink && $0.size <= CommitSources.linkBytesMax }
        let targets = try await blobs.contents(of: links.map(\.object), bytesMax: CommitManifests.bytesMax)
        return Dictionary(zip(links.map(\.object), targets.map { String(decoding: $0, as: UTF8.self) })) { first, _ in
            first
        }
    }

    /// The object with its source packed; nil after a problem was added.
    private func whole(
        _ object: ReadObject,
        _ tree: CommitTree,
        _ commit: GitCommit,
        _ problems: inout [GitProblem]
    ) async -> GitObject? {
        let declared = object.declared
        var config = declared.json
        if let app = declared.object as? App, let path = app.spec.source.path, app.spec.source.digest == nil {
            let place = FieldPath("spec", "source", "path")
            guard let directory = resolvedPath(path, from: object.directory) else {
                let words = "\"\(path)\" leaves the repository. Move the source into it"
                problems.append(GitProblem(declared.document.diagnostic(for: place, words)))
                return nil
            }
            do throws(GitError) {
                config = declared.json(withSource: try await sources.pack(directory, of: tree, blobs))
            } catch {
                problems.append(GitProblem(declared.document.diagnostic(for: place, error.message)))
                return nil
            }
        }
        return GitObject(
            key: declared.key,
            config: config,
            digest: digest(of: config, in: commit),
            file: declared.document.file,
            line: declared.document.startLine
        )
    }

    /// A Secret is applied again with every commit: a digest of its values would let them be guessed.
    private func digest(of config: JSONValue, in commit: GitCommit) -> String {
        guard config["kind"]?.string == Secret.kind else { return Digest.of(Array(config.text().utf8)).hex }
        return Digest.of(Array("\(commit.id) \(config["metadata"]?.text() ?? "")".utf8)).hex
    }

    private func sorted(_ problems: [GitProblem]) -> [GitProblem] {
        Set(problems).sorted { ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message) }
    }
}
