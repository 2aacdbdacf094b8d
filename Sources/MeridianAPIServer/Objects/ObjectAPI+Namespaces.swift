// ObjectAPI+Namespaces: objects are made only in namespaces that exist; `default` always does.
internal import MeridianModel
internal import MeridianPorts

/// The namespace that always exists.
let defaultNamespaceName = "default"

extension ObjectAPI {
    /// What must hold in the same transaction that makes an object: its namespace is there and not being deleted.
    ///
    /// - Throws: 404 without the namespace, 403 while it is being deleted, both in Kubernetes' words.
    func namespaceChecks(for key: ObjectKey) async throws(APIFailure) -> [StoreOperation] {
        guard !key.namespace.isEmpty, let kind = Kind.named(NamespaceSpec.kind)?.inCoreGroup else { return [] }
        let namespace = ObjectKey(kind: kind.name, name: key.namespace)
        guard let record = try await storedRecord(namespace) else { throw .notFound(namespace, kind) }
        guard !isBeingDeleted(record) else {
            let why = "unable to create new content in namespace \(key.namespace) because it is being terminated"
            throw .forbidden("\(key.kind) \"\(key.name.prefix(80))\" is forbidden: \(why)")
        }
        return [.check(namespace, .modRevision(record.modRevision))]
    }

    /// Makes `default`, and the namespaces of objects that were stored before there were any, where they are missing.
    func makeMissingNamespaces() async throws(APIFailure) {
        guard let kind = Kind.named(NamespaceSpec.kind) else { return }
        let records: [StoreRecord]
        do { records = try await store.snapshot(kinds: nil).records } catch { throw APIFailure(error) }
        let wanted = Set(records.map(\.key.namespace)).union([defaultNamespaceName]).subtracting([""])
        let present = Set(records.filter { $0.key.kind == kind.name }.map(\.key.name))
        for name in wanted.subtracting(present).sorted() {
            let body: JSONValue = [
                "apiVersion": .string(apiVersionText), "kind": .string(kind.name), "metadata": ["name": .string(name)],
            ]
            _ = try await create(body, kind, namespace: "", WriteOptions())
        }
    }

    /// The body of a creation with a name, where it brings `generateName` alone: that, and five random characters.
    func named(_ body: JSONValue) -> JSONValue {
        guard case .object(var object) = body, case .object(var metadata)? = object["metadata"],
            let prefix = metadata["generateName"]?.string, !prefix.isEmpty, metadata["name"]?.string ?? "" == ""
        else { return body }
        // Without vowels, so that no words come about; a name has at most 63 characters.
        let letters = Array("bcdfghjklmnpqrstvwxz2456789")
        let end = (0..<5).map { _ in letters[Int(random.next() % UInt64(letters.count))] }
        metadata["name"] = .string(prefix.prefix(58) + String(end))
        object["metadata"] = .object(metadata)
        return .object(object)
    }
}
