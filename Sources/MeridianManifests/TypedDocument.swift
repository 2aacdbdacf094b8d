// TypedDocument: one document checked against the kind that it names.

internal import MeridianModel

/// Reads one document as an object of its kind and collects what is wrong with it.
struct TypedDocument {
    let document: ManifestDocument
    /// Filled in where a namespaced kind names none.
    let namespace: String
    private(set) var diagnostics: [Diagnostic] = []

    init(document: ManifestDocument, namespace: String) {
        self.document = document
        self.namespace = namespace
    }

    /// The object's identity; nil where the kind is unknown or the name no text.
    var key: ObjectKey? {
        let kind = Kind.all.first { $0.isDeclared && $0.name == document.value["kind"]?.string }
        guard let kind, let name = document.value[FieldPath("metadata", "name")]?.string else { return nil }
        guard kind.isNamespaced else { return ObjectKey(kind: kind.name, name: name) }
        let given = document.value[FieldPath("metadata", "namespace")]?.string ?? ""
        return ObjectKey(kind: kind.name, namespace: given.isEmpty ? namespace : given, name: name)
    }

    /// The object; nil after at least one error.
    mutating func read() -> DeclaredObject? {
        checkVersion()
        guard let kind = readKind() else { return nil }
        let json = withNamespace(withoutServerFields(document.value), kind)
        checkNamespace(kind)
        noteOwnAnnotations()
        var context = DecodingContext()
        let object = kind.read(json, &context)
        for problem in context.problems where !isReported(problem) { add(problem) }
        guard let object, !diagnostics.hasErrors else { return nil }
        return DeclaredObject(object: object, kind: kind, json: json, document: document)
    }

    private mutating func checkVersion() {
        let path = FieldPath("apiVersion")
        guard let given = document.value[path] else {
            return add(path, "required, but missing. Write apiVersion: \(apiVersionText)")
        }
        guard given.string != apiVersionText else { return }
        add(path, "\(shown(given)) is no version known here. Write apiVersion: \(apiVersionText)")
    }

    private mutating func readKind() -> Kind? {
        let path = FieldPath("kind")
        let declared = Kind.all.filter(\.isDeclared).map(\.name)
        guard let given = document.value[path] else {
            add(path, "required, but missing. Write one of \(declared.joined(separator: ", "))")
            return nil
        }
        guard let kind = Kind.all.first(where: { $0.name == given.string }) else {
            let near = given.string.flatMap { suggestion(for: $0, among: declared) }
            let hint = near.map { ": did you mean \"\($0)\"?" } ?? ". Known: \(declared.joined(separator: ", "))"
            add(path, "\(shown(given)) is no kind known here\(hint)")
            return nil
        }
        guard kind.isDeclared else {
            add(path, "a \(kind.name) is written by Meridian alone. Remove this document")
            return nil
        }
        return kind
    }

    /// Says that a cluster-scoped kind has no namespace.
    private mutating func checkNamespace(_ kind: Kind) {
        let path = FieldPath("metadata", "namespace")
        guard !kind.isNamespaced, document.value[path] != nil else { return }
        let problem = "a \(kind.name) belongs to no namespace. Remove the line"
        diagnostics.append(document.diagnostic(for: path, problem, atKey: true))
    }

    /// Warns of annotations that apply does not write.
    private mutating func noteOwnAnnotations() {
        let path = FieldPath("metadata", "annotations")
        for key in document.value[path]?.object?.keys ?? [] where key.hasPrefix(OwnAnnotation.prefix) {
            let problem = "is written by Meridian's own verbs alone and ignored here. Remove the line"
            diagnostics.append(document.diagnostic(for: path[key], problem, atKey: true, severity: .warning))
        }
    }

    /// Whether `problem` was reported in better words already.
    private func isReported(_ problem: DecodingContext.Problem) -> Bool {
        problem.path == FieldPath("apiVersion") || problem.path == FieldPath("kind")
    }

    private mutating func add(_ path: FieldPath, _ message: String) {
        diagnostics.append(document.diagnostic(for: path, message))
    }

    /// Adds a decoder's problem, whose message names its path already.
    private mutating func add(_ problem: DecodingContext.Problem) {
        let location = document.content.locations.location(of: problem.path, key: problem.atKey)
        diagnostics.append(Diagnostic(file: document.file, location: location, message: problem.message))
    }

    private func shown(_ value: JSONValue) -> String {
        value.string.map { "\"\($0.prefix(80))\"" } ?? "this \(value.typeName)"
    }

    private func withNamespace(_ json: JSONValue, _ kind: Kind) -> JSONValue {
        guard kind.isNamespaced, case .object(var object) = json, case .object(var metadata)? = object["metadata"]
        else {
            return json
        }
        if let given = metadata["namespace"], !given.isNull, given.string != "" { return json }
        metadata["namespace"] = .string(namespace)
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    /// The manifest without the fields that `get -o yaml` shows but only the server writes.
    private func withoutServerFields(_ json: JSONValue) -> JSONValue {
        guard case .object(var object) = json else { return json }
        object["status"] = nil
        guard case .object(var metadata)? = object["metadata"] else { return .object(object) }
        for name in Self.serverFields { metadata[name] = nil }
        if case .object(let annotations)? = metadata["annotations"] {
            let kept = annotations.members.filter { !$0.key.hasPrefix(OwnAnnotation.prefix) }
            metadata["annotations"] = .object(JSONObject(kept))
        }
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    /// The members of `metadata` that the server writes.
    private static let serverFields = [
        "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields",
    ]
}
