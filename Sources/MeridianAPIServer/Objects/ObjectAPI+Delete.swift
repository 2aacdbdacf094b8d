// ObjectAPI+Delete: deletion, at once or when the finalizers are done.
internal import MeridianModel
internal import MeridianPorts

/// What a client asks of a deletion (the fields of Kubernetes' DeleteOptions that matter here).
struct DeleteOptions {
    var isDryRun = false
    var uid: String?
    var resourceVersion: String?

    init() {}

    /// The options of a request's body (nil where it is empty) and parameters.
    init(_ body: JSONValue?, _ parameters: QueryParameters) throws(APIFailure) {
        let dryRun = body?["dryRun"]?.array ?? []
        guard dryRun.allSatisfy({ $0 == "All" }) else { throw .badRequest("dryRun: only All is supported") }
        isDryRun = try parameters.isDryRun() || !dryRun.isEmpty
        uid = body?["preconditions"]?["uid"]?.string
        resourceVersion = body?["preconditions"]?["resourceVersion"]?.string
    }
}

extension ObjectAPI {
    /// Deletes an object that has no finalizer; marks one that has as being deleted.
    ///
    /// - Returns: a Status with the uid of what is gone, or the object while its finalizers are waited for.
    func delete(_ key: ObjectKey, _ kind: Kind, _ options: DeleteOptions) async throws(APIFailure) -> JSONValue {
        var preconditions = JSONObject()
        preconditions["uid"] = options.uid.map { .string($0) }
        preconditions["resourceVersion"] = options.resourceVersion.map { .string($0) }
        let expected: JSONValue = ["metadata": .object(preconditions)]
        let outcome = try await changing(key, kind, isDryRun: options.isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            try checkVersion(expected, live, kind, key)
            return marked(live)
        }
        let metadata = outcome.object["metadata"]
        guard metadata?["finalizers"] == nil else { return outcome.object }
        return goneStatus(key, kind, uid: metadata?["uid"])
    }

    /// The object with the time of its deletion.
    private func marked(_ live: StoreRecord) -> JSONValue {
        guard !isBeingDeleted(live), case .object(var object) = live.value else { return live.value }
        var metadata = object["metadata"]?.object ?? JSONObject()
        let now = Timestamp(milliseconds: clock.now.milliseconds / 1000 * 1000)
        metadata["deletionTimestamp"] = .string(now.description)
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    private func goneStatus(_ key: ObjectKey, _ kind: Kind, uid: JSONValue?) -> JSONValue {
        var details = JSONObject()
        details["name"] = .string(key.name)
        details["group"] = .string(apiGroup)
        details["kind"] = .string(kind.plural)
        details["uid"] = uid
        return [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": .object(details),
        ]
    }
}
