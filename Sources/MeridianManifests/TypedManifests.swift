// TypedManifests: from documents to declared objects of known kinds, or everything that is wrong with them.

package import MeridianModel

/// One object of a manifest that was read and checked.
package struct DeclaredObject: Sendable {
    /// The object, decoded; its namespace is filled in where the kind has one.
    package let object: any APIObject
    /// The object's kind.
    package let kind: Kind
    /// The object as it was written, with its namespace filled in and without what only the server writes.
    package let json: JSONValue
    /// Where it was written.
    package let document: ManifestDocument

    /// The object's identity.
    package var key: ObjectKey { object.key }

    /// `app/hello`: the object as commands name it in their output.
    package var reference: String { "\(kind.singular)/\(key.name)" }

    /// The place of the value at `path`, as `file:line:col`.
    package func place(of path: FieldPath) -> String { document.place(of: path) }

    /// The App as it was written, with `spec.source.digest` set; an object without a source is left as it is.
    package func json(withSource digest: Digest) -> JSONValue {
        guard case .object(var app) = json, case .object(var spec)? = app["spec"],
            case .object(var source)? = spec["source"]
        else { return json }
        source["digest"] = .string(digest.description)
        spec["source"] = .object(source)
        app["spec"] = .object(spec)
        return .object(app)
    }
}

/// The objects of a set of manifest files and everything wrong with the files.
package struct TypedManifests: Sendable {
    /// The objects without a problem of their own, in the order of the files and inside them.
    package let objects: [DeclaredObject]
    /// Every problem of every file, sorted by file, line and column.
    package let diagnostics: [Diagnostic]

    /// The namespace of an object that names none.
    package static let defaultNamespace = "default"

    /// Checks every document of `set` by itself and then all of them together.
    ///
    /// - Parameters:
    ///   - set: What was read from the files.
    ///   - namespace: Filled in where an object of a namespaced kind names none.
    ///   - checkingSources: Whether the directories that `spec.source.path` names must exist on this machine.
    package init(
        _ set: ManifestSet,
        namespace: String = Self.defaultNamespace,
        checkingSources: Bool = true
    ) {
        var found = set.diagnostics
        var objects: [DeclaredObject] = []
        var named: [NamedDocument] = []
        for document in set.documents {
            var reader = TypedDocument(document: document, namespace: namespace)
            if let object = reader.read() { objects.append(object) }
            if let key = reader.key { named.append(NamedDocument(key: key, document: document)) }
            found += reader.diagnostics
        }
        if checkingSources { found += set.documents.compactMap(TypedSource.diagnostic) }
        found += CrossReferences(objects, named: named).diagnostics
        self.objects = objects
        diagnostics = found.sortedAndUnique
    }
}

/// A document whose kind and name can be read, whatever else is wrong with it.
struct NamedDocument {
    let key: ObjectKey
    let document: ManifestDocument
}

extension ManifestDocument {
    /// The place of the value at `path`, as `file:line:col`.
    package func place(of path: FieldPath) -> String { "\(file):\(content.locations.location(of: path))" }
}
