// ObjectAPI+Delete: deletion, at once or when the finalizers are done; of one object or of all that are selected.
internal import MeridianModel
internal import MeridianPorts

/// What a deletion led to.
struct DeletionOutcome {
    /// Whether the object is gone; it stays while its finalizers are waited for.
    let isGone: Bool
    /// A Status with the uid of what is gone, or the object in its stored form.
    let answer: JSONValue
}

extension ObjectAPI {
    /// Deletes an object that has no finalizer; marks one that has as being deleted.
    func delete(_ key: ObjectKey, _ kind: Kind, _ options: DeleteOptions) async throws(APIFailure) -> DeletionOutcome {
        if key.kind == NamespaceSpec.kind, key.name == defaultNamespaceName {
            throw .forbidden("\(kind.resource) \"\(key.name)\" is forbidden: this namespace may not be deleted")
        }
        var preconditions = JSONObject()
        preconditions["uid"] = options.uid.map { .string($0) }
        preconditions["resourceVersion"] = options.resourceVersion.map { .string($0) }
        let expected: JSONValue = ["metadata": .object(preconditions)]
        let outcome = try await changing(key, kind, isDryRun: options.isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            try checkVersion(expected, live, kind, key)
            return marked(live, adding: options.finalizer)
        }
        let metadata = outcome.object["metadata"]
        guard metadata?["finalizers"] == nil else { return DeletionOutcome(isGone: false, answer: outcome.object) }
        return DeletionOutcome(isGone: true, answer: goneStatus(key, kind, uid: metadata?["uid"]))
    }

    /// Deletes every object that the filter has; the answer is the list of them as they were.
    ///
    /// An object that is gone by itself meanwhile is no error. Where one deletion fails the rest is not tried.
    func deleteAll(
        _ representation: Representation,
        _ filter: ObjectFilter,
        _ options: DeleteOptions
    ) async throws(APIFailure) -> JSONValue {
        let resource = representation.resource
        let snapshot = try await snapshot(of: resource)
        let records = snapshot.records.filter { filter.matches($0.key, $0.value) }
        for record in records {
            do throws(APIFailure) {
                _ = try await delete(record.key, resource.kind, options)
            } catch {
                guard error.code == 404 else { throw error }
            }
        }
        var metadata = JSONObject()
        metadata["resourceVersion"] = .string(String(snapshot.revision))
        return representation.list(records.map(served), metadata)
    }

    /// The object with the time of its deletion and, where it is not being deleted already, a further finalizer.
    private func marked(_ live: StoreRecord, adding finalizer: String?) -> JSONValue {
        guard !isBeingDeleted(live), case .object(var object) = live.value else { return live.value }
        var metadata = object["metadata"]?.object ?? JSONObject()
        let now = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
        metadata["deletionTimestamp"] = .string(now.description)
        if let finalizer {
            let others = metadata["finalizers"]?.array ?? []
            metadata["finalizers"] = .array(others.filter { $0.string != finalizer } + [.string(finalizer)])
        }
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    private func goneStatus(_ key: ObjectKey, _ kind: Kind, uid: JSONValue?) -> JSONValue {
        var details = JSONObject()
        details["name"] = .string(key.name)
        details["group"] = kind.group.isEmpty ? nil : .string(kind.group)
        details["kind"] = .string(kind.plural)
        details["uid"] = uid
        return [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": .object(details),
        ]
    }
}
