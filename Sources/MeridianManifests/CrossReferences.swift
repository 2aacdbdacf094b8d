// CrossReferences: what the objects of the given files say of each other.

internal import MeridianModel

/// Checks the names by which declared objects refer to each other.
///
/// A name that is in none of the files is a warning, since the server may have it; a contradiction is an error.
struct CrossReferences {
    let apps: [DeclaredObject]
    let splits: [DeclaredObject]
    let regions: [DeclaredObject]
    /// `namespace/name` of every App.
    private let appPaths: Set<String>
    private let allowlists: Set<String>
    /// `namespace/name` of every Secret.
    private let secretPaths: Set<String>
    /// The Secrets without a problem by `namespace/name`.
    private let secrets: [String: Secret]
    /// Lower-case names and aliases of every Region, and `local`.
    private let regionNames: Set<String>
    /// Every object of a known kind, the broken ones too.
    private let named: [NamedDocument]

    /// Checks `objects` against each other; `named` adds the broken ones, whose names nevertheless exist.
    init(_ objects: [DeclaredObject], named: [NamedDocument]) {
        self.named = named
        apps = objects.filter { $0.object is App }
        splits = objects.filter { $0.object is TrafficSplit }
        regions = objects.filter { $0.object is Region }
        func paths(_ kind: String) -> [String] { named.filter { $0.key.kind == kind }.map(\.key.path) }
        appPaths = Set(paths(App.kind))
        allowlists = Set(paths(SyscallAllowlist.kind) + [SyscallAllowlistSpec.defaultName])
        secretPaths = Set(paths(Secret.kind))
        let declared = objects.compactMap { $0.object as? Secret }
        secrets = Dictionary(declared.map { ($0.key.path, $0) }) { first, _ in first }
        let aliases = regions.flatMap { ($0.object as? Region)?.spec.aliases ?? [] }
        regionNames = Set((paths(Region.kind) + aliases + [RegionSpec.localName]).map { $0.lowercased() })
    }

    /// Everything wrong between the objects, in no particular order.
    var diagnostics: [Diagnostic] {
        twins + regionDiagnostics + splitDiagnostics + apps.flatMap(appDiagnostics)
    }

    /// Objects that are declared twice.
    private var twins: [Diagnostic] {
        var seen: [ObjectKey: ManifestDocument] = [:]
        let path = FieldPath("metadata", "name")
        return named.compactMap { twin in
            guard let first = seen[twin.key] else {
                seen[twin.key] = twin.document
                return nil
            }
            let words = "\(twin.key) is declared twice, first at \(first.place(of: path)). Remove one"
            return twin.document.diagnostic(for: path, words)
        }
    }

    private func appDiagnostics(_ declared: DeclaredObject) -> [Diagnostic] {
        guard let app = declared.object as? App else { return [] }
        var found: [Diagnostic] = []
        let preferred = FieldPath("spec", "regions", "preferred")
        for (index, name) in app.spec.regions.preferred.enumerated() {
            found += missingRegion(name, at: preferred[index], of: declared)
        }
        let list = app.spec.syscalls
        if !allowlists.contains(list) {
            let what = Missing(words: "SyscallAllowlist \"\(list)\"", kind: SyscallAllowlist.kind, name: list)
            found.append(missing(what, among: allowlists, at: FieldPath("spec", "syscalls"), of: declared))
        }
        return found + secretDiagnostics(app, declared)
    }

    private func secretDiagnostics(_ app: App, _ declared: DeclaredObject) -> [Diagnostic] {
        app.spec.secretEnv.compactMap { variable, reference in
            let path = FieldPath("spec", "secretEnv")[variable]
            let name = reference.secret
            let namespace = declared.key.namespace
            guard secretPaths.contains("\(namespace)/\(name)") else {
                let what = Missing(words: "Secret \"\(name)\"", kind: Secret.kind, name: name)
                return missing(what, among: names(secretPaths, in: namespace), at: path["secret"], of: declared)
            }
            guard let secret = secrets["\(namespace)/\(name)"] else { return nil }
            let keys = Set(secret.stringData.keys).union(secret.sealed.keys)
            guard !keys.contains(reference.key) else { return nil }
            let hint = suggestion(for: reference.key, among: keys.sorted()).map { ": did you mean \"\($0)\"?" }
            return declared.document.diagnostic(
                for: path["key"],
                "Secret \"\(name)\" has no key \"\(reference.key)\"\(hint ?? "")",
                severity: .warning
            )
        }
    }
}

extension CrossReferences {
    /// A name that is in none of the given files.
    struct Missing {
        /// The object in a sentence: `region "fra"`.
        let words: String
        let kind: String
        let name: String
    }

    /// A warning that the named object is in none of the files, with the name that was probably meant.
    func missing(
        _ what: Missing,
        among known: Set<String>,
        at path: FieldPath,
        of declared: DeclaredObject
    ) -> Diagnostic {
        let near = suggestion(for: what.name, among: known.sorted())
        let next = near.map { ": did you mean \"\($0)\"?" } ?? ". Add a \(what.kind) named \(what.name) or fix the name"
        return declared.document.diagnostic(
            for: path,
            "\(what.words) is not declared in the given files\(next)",
            severity: .warning
        )
    }

    /// A warning where no Region has `name` as its name or alias; nothing where one has.
    func missingRegion(_ name: String, at path: FieldPath, of declared: DeclaredObject) -> [Diagnostic] {
        guard !regionNames.contains(name.lowercased()) else { return [] }
        let what = Missing(words: "region \"\(name)\"", kind: Region.kind, name: name.lowercased())
        return [missing(what, among: regionNames, at: path, of: declared)]
    }

    /// A warning where no App of the namespace has `name`; nothing where one has.
    func missingApp(_ name: String, at path: FieldPath, of declared: DeclaredObject) -> [Diagnostic] {
        let namespace = declared.key.namespace
        guard !appPaths.contains("\(namespace)/\(name)") else { return [] }
        let what = Missing(words: "app \"\(name)\"", kind: App.kind, name: name)
        return [missing(what, among: names(appPaths, in: namespace), at: path, of: declared)]
    }

    /// The names among `paths` that lie in `namespace`.
    private func names(_ paths: Set<String>, in namespace: String) -> Set<String> {
        let prefix = "\(namespace)/"
        return Set(paths.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }
}
