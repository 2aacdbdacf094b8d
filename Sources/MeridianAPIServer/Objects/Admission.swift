// Admission: what a client's object must satisfy, and what the server adds to it before it is stored.
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

extension ObjectAPI {
    /// The body of a write, checked strictly, with namespace filled in; names and kinds must agree with the path.
    ///
    /// `key` is the object of the path; its name is empty where the path names a collection.
    func checked(_ body: JSONValue, _ kind: Kind, path key: ObjectKey) throws(APIFailure) -> JSONValue {
        guard case .object(var object) = body else {
            throw .badRequest("the body must be an object of kind \(kind.name)")
        }
        try checkKind(object, kind)
        var metadata = object["metadata"]?.object ?? JSONObject()
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
        object["metadata"] = .object(metadata)
        let named = ObjectKey(
            kind: kind.name,
            namespace: key.namespace,
            name: metadata["name"]?.string ?? key.name
        )
        // Clients send back what they were served; the status is the loop's and is not even looked at.
        object["status"] = nil
        _ = try decoded(.object(object), kind, named)
        return .object(object)
    }

    private func checkKind(_ object: JSONObject, _ kind: Kind) throws(APIFailure) {
        for (field, expected) in [("kind", kind.name), ("apiVersion", apiVersionText)] {
            guard let given = object[field]?.string, given != expected else { continue }
            throw .badRequest(
                "\(field) in the data (\(given.prefix(80))) does not match the expected \(field) (\(expected))"
            )
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

    /// A merged object in the form that is stored: decoded, secrets sealed, server's metadata set, defaults left out.
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
        if let secret = object as? Secret { object = try sealed(secret, kind, live: live) }
        object.metadata.resourceVersion = ""
        let now = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
        if let live {
            let hasChanged = !hasEqualContent(object.encoded(), live.value)
            if hasChanged, countsGeneration { object.metadata.generation += 1 }
        } else {
            object.metadata.uid = newUID()
            object.metadata.generation = 1
            object.metadata.creationTimestamp = now
            object.metadata.deletionTimestamp = nil
            if kind.name == AppSpec.kind { object.metadata.finalizers.append(drainFinalizer) }
            if kind.name == NamespaceSpec.kind { object.metadata.finalizers.append(contentsFinalizer) }
        }
        return object.encoded()
    }

    /// A random UUID (RFC 9562 §5.4).
    private func newUID() -> String {
        let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = [high, low].map { number in
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
