// ObjectAPI+Write: create, apply, replace, patch.
internal import MeridianMerging
internal import MeridianModel
internal import MeridianPorts

/// What a write led to.
struct WriteOutcome {
    /// In the words that `apply` prints, sent in the header `meridian-change`.
    enum Change: String {
        case created, configured, unchanged
    }

    /// The object as served after the write (for a dry run: as it would be).
    let object: JSONValue
    let change: Change
}

/// Attempts of a write whose object changes at the same moment, as many as Kubernetes makes: more mean that somebody
/// writes in a loop, and the client should know.
private let attemptsMax = 5

extension ObjectAPI {
    /// POST: the object must not exist.
    func create(
        _ body: JSONValue,
        _ kind: Kind,
        namespace: String,
        isDryRun: Bool
    ) async throws(APIFailure) -> WriteOutcome {
        let config = try checked(body, kind, path: ObjectKey(kind: kind.name, namespace: namespace, name: ""))
        let key = ObjectKey(kind: kind.name, namespace: namespace, name: config["metadata"]?["name"]?.string ?? "")
        if let live = try await storedRecord(key) { throw exists(live, kind) }
        let merged = applied(live: nil, config: config, kind: kind)
        let value = try stored(merged, kind, key, live: nil, countsGeneration: !isDryRun)
        guard let outcome = try await write(value, key, live: nil, isDryRun: isDryRun) else {
            throw .alreadyExists(key, kind, isBeingDeleted: false)
        }
        return outcome
    }

    /// PATCH of an apply: creates the object or replaces its content, labels and annotations.
    func apply(_ body: JSONValue, _ kind: Kind, _ key: ObjectKey, isDryRun: Bool) async throws(APIFailure)
        -> WriteOutcome
    {
        let config = try checked(body, kind, path: key)
        return try await changing(key, kind, isDryRun: isDryRun) { (live) throws(APIFailure) in
            if let live, isBeingDeleted(live) {
                let next = "wait until it is gone (meridian get \(kind.singular) \(key.name)), then apply again"
                throw .conflict(key, kind, "the object is being deleted; \(next)")
            }
            try checkVersion(config, live, kind, key)
            let merged = applied(live: live?.value, config: config, kind: kind)
            return try stored(merged, kind, key, live: live, countsGeneration: !isDryRun)
        }
    }

    /// PUT: the object must exist and be the version that the body names.
    func replace(
        _ body: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        isDryRun: Bool
    ) async throws(APIFailure) -> WriteOutcome {
        let config = try checked(body, kind, path: key)
        guard config["metadata"]?["resourceVersion"]?.string ?? "" != "" else {
            let path = FieldPath("metadata", "resourceVersion")
            throw .invalid(
                key,
                kind,
                [.init(path: path, reason: .required, message: "\(path): must be specified for an update")]
            )
        }
        return try await changing(key, kind, isDryRun: isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            try checkVersion(config, live, kind, key)
            let merged = replaced(live: live.value, config: config, kind: kind)
            return try stored(merged, kind, key, live: live, countsGeneration: !isDryRun)
        }
    }

    /// PATCH with a JSON Merge Patch against the object as served.
    func mergePatch(
        _ patch: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        isDryRun: Bool
    ) async throws(APIFailure) -> WriteOutcome {
        guard case .object = patch else { throw .badRequest("a merge patch must be a JSON object") }
        return try await changing(key, kind, isDryRun: isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            try checkVersion(patch, live, kind, key)
            let config = try checked(mergePatched(served(live), with: patch), kind, path: key)
            let merged = replaced(live: live.value, config: config, kind: kind)
            return try stored(merged, kind, key, live: live, countsGeneration: !isDryRun)
        }
    }

    /// The object that `apply` would store, and whether it differs from the stored one; for plans.
    func wouldApply(
        _ body: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey
    ) async throws(APIFailure) -> (value: JSONValue, differs: Bool) {
        let config = try checked(body, kind, path: key)
        let named = ObjectKey(
            kind: kind.name,
            namespace: key.namespace,
            name: config["metadata"]?["name"]?.string ?? key.name
        )
        let live = try await storedRecord(named)
        let merged = applied(live: live?.value, config: config, kind: kind)
        let value = try stored(merged, kind, named, live: live, countsGeneration: true)
        return (value, value != live?.value)
    }

    /// Reads the object, computes what it becomes and writes that, again where another write came between.
    func changing(
        _ key: ObjectKey,
        _ kind: Kind,
        isDryRun: Bool,
        _ change: (StoreRecord?) throws(APIFailure) -> JSONValue
    ) async throws(APIFailure) -> WriteOutcome {
        for _ in 0..<attemptsMax {
            let live = try await storedRecord(key)
            let value = try change(live)
            if let outcome = try await write(value, key, live: live, isDryRun: isDryRun) { return outcome }
        }
        throw .conflict(key, kind)
    }

    /// Stores a value in the place of `live`; nil where the object is not `live` any more.
    ///
    /// An equal value is not written. An object that is being deleted and has no finalizer left goes.
    private func write(
        _ value: JSONValue,
        _ key: ObjectKey,
        live: StoreRecord?,
        isDryRun: Bool
    ) async throws(APIFailure) -> WriteOutcome? {
        let isLast = value["metadata"]?["deletionTimestamp"] != nil && value["metadata"]?["finalizers"] == nil
        if let live, live.value == value, !isLast { return WriteOutcome(object: served(live), change: .unchanged) }
        let change = live == nil ? WriteOutcome.Change.created : .configured
        let checks = live == nil ? try await namespaceChecks(for: key) : []
        if isDryRun { return WriteOutcome(object: dryRunForm(value, live: live), change: change) }
        let expectation = live.map { StoreExpectation.modRevision($0.modRevision) } ?? .absent
        let operation: StoreOperation = isLast ? .delete(key, expectation) : .put(key, value, expectation)
        do {
            let revision = try await store.commit(checks + [operation])
            return WriteOutcome(object: served(value, revision: revision), change: change)
        } catch {
            guard error.code == .conflict, error.key == key else { throw APIFailure(error) }
            return nil
        }
    }

    /// Without what only a real write gives: a new object's uid and time would be differences that nobody made.
    private func dryRunForm(_ value: JSONValue, live: StoreRecord?) -> JSONValue {
        var object = value.object ?? JSONObject()
        var metadata = object["metadata"]?.object ?? JSONObject()
        if live == nil { for field in ["uid", "creationTimestamp"] { metadata[field] = nil } }
        object["metadata"] = .object(metadata)
        return served(.object(object), revision: live?.modRevision)
    }

    private func exists(_ live: StoreRecord, _ kind: Kind) -> APIFailure {
        .alreadyExists(live.key, kind, isBeingDeleted: isBeingDeleted(live))
    }

    /// Whether the object waits for its finalizers.
    func isBeingDeleted(_ record: StoreRecord) -> Bool { record.value["metadata"]?["deletionTimestamp"] != nil }

    /// 409 where the client names another resourceVersion or uid than the stored ones.
    func checkVersion(
        _ config: JSONValue,
        _ live: StoreRecord?,
        _ kind: Kind,
        _ key: ObjectKey
    ) throws(APIFailure) {
        if let version = config["metadata"]?["resourceVersion"]?.string, !version.isEmpty,
            version != live.map({ String($0.modRevision) })
        {
            throw .conflict(key, kind)
        }
        guard let uid = config["metadata"]?["uid"]?.string, !uid.isEmpty,
            let stored = live?.value["metadata"]?["uid"]?.string, uid != stored
        else { return }
        throw .conflict(
            key,
            kind,
            "Precondition failed: UID in precondition: \(uid.prefix(80)), UID in object meta: \(stored)"
        )
    }
}
