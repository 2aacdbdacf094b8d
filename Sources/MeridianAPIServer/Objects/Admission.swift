// Admission: what a client's object must satisfy, and what the server adds to it before it is stored.
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

/// A body that may be written.
struct AdmittedObject {
    /// The object with its name and namespace filled in, without fields that its kind does not have.
    let object: JSONValue
    /// What was left out, for `Warning` headers.
    let warnings: [String]
}

extension ObjectAPI {
    /// Unknown and duplicate fields that may be left out of one object: with more it is of another kind.
    private static let warningsMax = 100

    /// The body of a write with its names filled in; names and kinds must agree with the path.
    ///
    /// `key` is the object of the path; its name is empty where the path names a collection. Where it `isWhole` the
    /// object must be right by itself; else it is a part that is merged into another object and checked then.
    func admitted(
        _ body: JSONValue,
        _ kind: Kind,
        path key: ObjectKey,
        _ options: WriteOptions,
        isWhole: Bool
    ) throws(APIFailure) -> AdmittedObject {
        guard case .object(var object) = body else {
            throw .badRequest("the body must be an object of kind \(kind.name)")
        }
        try checkKind(object, kind)
        object["metadata"] = .object(try named(object["metadata"]?.object ?? JSONObject(), kind, path: key))
        // Clients send back what they were served: the part that another endpoint writes is not even looked at.
        if options.part == .main { object["status"] = nil }
        var context = DecodingContext()
        let isRead = kind.read(.object(object), &context) != nil
        let problems = context.problems.filter { options.part == .main || $0.path.elements.first == .field("status") }
        let unknown = problems.filter { $0.reason == .unknownField }
        let warnings = try warnings(unknown, options)
        if isWhole, !isRead, options.part == .main {
            let broken = problems.filter { $0.reason != .unknownField }
            let name = object["metadata"]?["name"]?.string ?? key.name
            let named = ObjectKey(kind: kind.name, namespace: key.namespace, name: name)
            guard broken.isEmpty else { throw .invalid(named, kind, broken) }
        }
        return AdmittedObject(object: JSONValue.object(object).removing(unknown.map(\.path)), warnings: warnings)
    }

    private func checkKind(_ object: JSONObject, _ kind: Kind) throws(APIFailure) {
        for (field, expected) in [("kind", kind.name), ("apiVersion", apiVersionText)] {
            guard let given = object[field]?.string, given != expected else { continue }
            throw .badRequest(
                "\(field) in the data (\(given.prefix(80))) does not match the expected \(field) (\(expected))"
            )
        }
    }

    private func named(_ given: JSONObject, _ kind: Kind, path key: ObjectKey) throws(APIFailure) -> JSONObject {
        var metadata = given
        if kind.isNamespaced {
            if metadata["namespace"]?.string ?? "" == "" { metadata["namespace"] = .string(key.namespace) }
        } else if let given = metadata["namespace"]?.string, !given.isEmpty {
            throw .badRequest("\(kind.plural) are not namespaced; remove metadata.namespace (\"\(given.prefix(80))\")")
        }
        if metadata["name"] == nil, !key.name.isEmpty { metadata["name"] = .string(key.name) }
        if let namespace = metadata["namespace"]?.string, namespace != key.namespace {
            throw .badRequest(
                "the namespace of the provided object (\(namespace.prefix(80))) does not match"
                    + " the namespace sent on the request (\(key.namespace))"
            )
        }
        if let name = metadata["name"]?.string, !key.name.isEmpty, name != key.name {
            throw .badRequest(
                "the name of the object (\(name.prefix(80))) does not match the name on the URL (\(key.name))"
            )
        }
        return metadata
    }

    /// The warnings for fields that are unknown or given twice; 400 where the client wants none of them.
    private func warnings(
        _ unknown: [DecodingContext.Problem],
        _ options: WriteOptions
    ) throws(APIFailure) -> [String] {
        let twice = options.duplicateFields.map { "duplicate field \"\($0)\"" }
        guard unknown.count + twice.count <= Self.warningsMax else {
            let first = (unknown.map(\.message) + twice).prefix(Self.warningsMax).joined(separator: ", ")
            throw .badRequest("strict decoding error: \(first), and more")
        }
        switch options.validation {
        case .ignore: return []
        case .warn: return unknown.map { "unknown field \"\($0.path)\"" } + twice
        case .strict:
            let texts = unknown.map(\.message) + twice
            guard texts.isEmpty else { throw .badRequest("strict decoding error: \(texts.joined(separator: ", "))") }
            return []
        }
    }

    /// The object as a value: 400 where it has unknown fields, 422 with a cause per field where it breaks rules.
    func decoded(_ value: JSONValue, _ kind: Kind, _ key: ObjectKey) throws(APIFailure) -> any APIObject {
        var context = DecodingContext()
        if let object = kind.read(value, &context) { return object }
        let unknown = context.problems.filter { $0.reason == .unknownField }
        guard unknown.isEmpty else {
            throw .badRequest("strict decoding error: \(unknown.map(\.message).joined(separator: ", "))")
        }
        throw .invalid(key, kind, context.problems)
    }

    /// A merged object in the form that is stored: decoded, server's metadata set, defaults left out.
    ///
    /// `countsGeneration` is false for the answer of a dry run, in which a new generation would be a difference that
    /// nobody made.
    func stored(
        _ merged: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        live: StoreRecord?,
        countsGeneration: Bool
    ) throws(APIFailure) -> JSONValue {
        var object = try decoded(merged, kind, key)
        object.metadata.resourceVersion = ""
        if let live {
            let hasChanged = !hasEqualContent(object.encoded(), live.value)
            if hasChanged, countsGeneration { object.metadata.generation += 1 }
        } else {
            object.metadata.uid = random.uuid()
            object.metadata.generation = 1
            object.metadata.creationTimestamp = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
            object.metadata.deletionTimestamp = nil
            if kind.name == AppSpec.kind { object.metadata.finalizers.append(drainFinalizer) }
            if kind.name == NamespaceSpec.kind { object.metadata.finalizers.append(contentsFinalizer) }
        }
        return object.encoded()
    }
}

extension JSONValue {
    /// This value without the members at `paths`.
    fileprivate func removing(_ paths: [FieldPath]) -> JSONValue {
        paths.reduce(self) { $0.removing($1.elements[...]) }
    }

    private func removing(_ path: ArraySlice<FieldPath.Element>) -> JSONValue {
        guard let element = path.first else { return self }
        let rest = path.dropFirst()
        switch (element, self) {
        case (.field(let name), .object(var object)):
            object[name] = rest.isEmpty ? nil : object[name]?.removing(rest)
            return .object(object)
        case (.index(let index), .array(var elements)) where elements.indices.contains(index):
            elements[index] = elements[index].removing(rest)
            return .array(elements)
        default: return self
        }
    }
}
