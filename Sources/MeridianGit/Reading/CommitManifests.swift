// CommitManifests: the manifests of a commit as objects, and everything wrong with them by file and line.
internal import MeridianContent
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPorts

/// An object of a commit before its source is packed.
struct ReadObject: Sendable {
    let declared: DeclaredObject
    /// The directory of its manifest.
    let directory: [String]
}

/// Reads the manifests below one path of a commit.
struct CommitManifests {
    let tree: CommitTree
    let rules: ManifestRules
    private(set) var problems: [GitProblem] = []

    /// Manifests of one commit: ten times what a person keeps in one tree.
    static let filesMax = 20_000
    /// The sum of their sizes.
    static let bytesMax = 128 << 20

    init(tree: CommitTree, rules: ManifestRules) {
        self.tree = tree
        self.rules = rules
    }

    /// The manifest files below `path`: where each stands, and the entry with its text (another one for a link).
    ///
    /// - Throws: `.pathMissing` where the commit has nothing there: that is not an empty set.
    mutating func files(
        below path: [String],
        links: [String: String]
    ) throws(GitError) -> [(file: TreeEntry, content: TreeEntry)] {
        let shown = path.isEmpty ? "." : path.joined(separator: "/")
        if let single = tree.entry(at: path), case .file = single.kind { return [(single, single)] }
        guard path.isEmpty || tree.directories[path.joined(separator: "/")] != nil else {
            throw GitError(
                .pathMissing,
                "there is no directory \"\(shown)\" in the commit. Fix spec.path or restore it"
            )
        }
        var found: [(file: TreeEntry, content: TreeEntry)] = []
        for entry in tree.entries(in: path) where Self.isManifest(entry.path.dropFirst(path.count)) {
            switch entry.kind {
            case .file: found.append((entry, entry))
            case .symbolicLink:
                guard let target = target(of: entry, links) else { continue }
                found.append((entry, target))
            case .other: continue
            }
        }
        guard found.count <= Self.filesMax else {
            throw GitError(.refused, "\"\(shown)\" has more than \(Self.filesMax) manifests. Name a directory below it")
        }
        let bytes = found.reduce(0) { $0 + $1.content.size }
        guard bytes <= Self.bytesMax else {
            throw GitError(
                .refused,
                "the manifests in \"\(shown)\" have \(bytes >> 20) MiB; \(Self.bytesMax >> 20) are read"
            )
        }
        let root = path.isEmpty ? "" : shown + "/"
        for name in tree.unreadable where name.hasPrefix(root) {
            problems.append(GitProblem(file: name, message: "the path is not one that is read. Rename it"))
        }
        return found
    }

    /// Visible files of a known kind, in visible directories.
    private static func isManifest(_ path: ArraySlice<String>) -> Bool {
        guard let name = path.last, !path.contains(where: { $0.hasPrefix(".") }) else { return false }
        return [".yaml", ".yml", ".json"].contains(where: name.hasSuffix)
    }

    /// The file that a link leads to, which must be in the commit.
    private mutating func target(of link: TreeEntry, _ links: [String: String]) -> TreeEntry? {
        // The kernel's own bound on links in one look-up (path_resolution(7)).
        let hopsMax = 40
        var place = link
        for _ in 0..<hopsMax {
            guard case .symbolicLink = place.kind else { return place }
            guard let text = links[place.object],
                let path = resolvedPath(text, from: Array(place.path.dropLast()))
            else {
                problems.append(GitProblem(file: link.text, message: "the link leads out of the repository. Remove it"))
                return nil
            }
            guard let next = tree.entry(at: path) else {
                problems.append(GitProblem(file: link.text, message: "the link leads to no file of the commit. Fix it"))
                return nil
            }
            place = next
        }
        problems.append(GitProblem(file: link.text, message: "the link leads in circles. Remove it"))
        return nil
    }

    /// The objects in the texts of manifest files; what is wrong is added to `problems`.
    mutating func objects(in files: [(path: [String], text: [UInt8])], below root: [String]) -> [ReadObject] {
        let texts = files.map { file in
            (path: file.path, set: ManifestText.read(file.text, file: file.path.joined(separator: "/")))
        }
        let sources = AppDirectories(texts)
        let kept = texts.filter { text in
            let directory = Array(text.path.dropLast())
            return directory == root || !sources.contain(directory)
        }
        let set = ManifestSet(
            documents: kept.flatMap(\.set.documents),
            diagnostics: kept.flatMap(\.set.diagnostics)
        )
        let typed = TypedManifests(set, namespace: rules.namespace, checkingSources: false)
        let errors = typed.diagnostics.filter { $0.severity == .error }
        problems += errors.map(GitProblem.init)
        let wrong = WrongDocuments(set.documents, errors)
        return typed.objects.compactMap { object in
            guard !wrong.contain(object.document), isAllowed(object) else { return nil }
            let directory = object.document.directory
            return ReadObject(
                declared: object,
                directory: directory == "." ? [] : directory.split(separator: "/").map(String.init)
            )
        }
    }

    /// Whether the repository may write the object; a problem where it may not.
    private mutating func isAllowed(_ object: DeclaredObject) -> Bool {
        guard !rules.namespaces.isEmpty else { return true }
        if object.kind.isNamespaced, rules.namespaces.contains(object.key.namespace) { return true }
        let words =
            object.kind.isNamespaced
            ? "namespace \"\(object.key.namespace)\" is not one of spec.namespaces"
            : "a \(object.kind.name) is cluster-scoped, which spec.namespaces does not let this repository write"
        problems.append(GitProblem(object.document.diagnostic(for: FieldPath("metadata"), "\(words). Move it")))
        return false
    }
}

extension GitProblem {
    init(_ diagnostic: Diagnostic) {
        self.init(
            file: diagnostic.file,
            line: diagnostic.line ?? 0,
            column: diagnostic.column ?? 0,
            message: diagnostic.message
        )
    }
}

/// The directories that hold an app's source and are not read for manifests, as the CLI's `-R` leaves them out.
private struct AppDirectories {
    private var sources: [(directory: [String], declaredIn: [String])] = []

    init(_ texts: [(path: [String], set: ManifestSet)]) {
        for text in texts {
            let directory = Array(text.path.dropLast())
            for document in text.set.documents where document.value["kind"]?.string == App.kind {
                guard let path = document.value[FieldPath("spec", "source", "path")]?.string,
                    let source = resolvedPath(path, from: directory)
                else { continue }
                sources.append((source, directory))
            }
        }
    }

    func contain(_ directory: [String]) -> Bool {
        sources.contains { $0.declaredIn != directory && directory.starts(with: $0.directory) }
    }
}

/// The documents that an error points into.
private struct WrongDocuments {
    /// By file: where each wrong document starts.
    private var starts: [String: Set<SourceLocation>] = [:]

    init(_ documents: [ManifestDocument], _ errors: [Diagnostic]) {
        let byFile = Dictionary(grouping: documents, by: \.file)
        for error in errors {
            guard let location = error.location else { continue }
            let before = (byFile[error.file] ?? []).map(\.content.locations.start).filter { $0 <= location }
            if let start = before.max() { starts[error.file, default: []].insert(start) }
        }
    }

    func contain(_ document: ManifestDocument) -> Bool {
        starts[document.file]?.contains(document.content.locations.start) ?? false
    }
}
