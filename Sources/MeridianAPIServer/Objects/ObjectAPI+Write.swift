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
    /// What the client should know besides, one text per `Warning` header.
    var warnings: [String] = []
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
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        let place = ObjectKey(kind: kind.name, namespace: namespace, name: "")
        let admitted = try admitted(body, kind, path: place, options, isWhole: true)
        let name = admitted.object["metadata"]?["name"]?.string ?? ""
        let key = ObjectKey(kind: kind.name, namespace: namespace, name: name)
        if let live = try await storedRecord(key) { throw exists(live, kind) }
        let wish = try withSealedValues(admitted.object, kind, key, live: nil)
        let merged = try merging(key, kind) { () throws(MergeError) in
            try managedWrite(kind, options).creating(wish)
        }
        let value = try stored(merged, kind, key, live: nil, countsGeneration: !options.isDryRun)
        guard var outcome = try await write(value, key, live: nil, isDryRun: options.isDryRun) else {
            throw .alreadyExists(key, kind, isBeingDeleted: false)
        }
        outcome.warnings = admitted.warnings
        return outcome
    }

    /// PATCH with `application/apply-patch+yaml`: creates the object or makes the fields that the body names so.
    func apply(
        _ body: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        guard options.givenManager != nil else {
            throw .invalidOption("fieldManager", "Required value: is required for apply patch")
        }
        guard (body["metadata"]?["managedFields"]?.array ?? []).isEmpty else {
            throw .badRequest("metadata.managedFields must be nil; remove it from what is applied")
        }
        let admitted = try admitted(body, kind, path: key, options, isWhole: false)
        var outcome = try await changing(key, kind, isDryRun: options.isDryRun) { (live) throws(APIFailure) in
            if live == nil, options.part != .main { throw .notFound(key, kind) }
            try checkAlive(live, kind, key)
            try checkVersion(admitted.object, live, kind, key)
            return try applied(admitted.object, kind, key, live: live, options)
        }
        outcome.warnings = admitted.warnings
        return outcome
    }

    /// PUT: the object must exist and be the version that the body names.
    func replace(
        _ body: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        let admitted = try admitted(body, kind, path: key, options, isWhole: true)
        guard admitted.object["metadata"]?["resourceVersion"]?.string ?? "" != "" else {
            let path = FieldPath("metadata", "resourceVersion")
            throw .invalid(
                key,
                kind,
                [.init(path: path, reason: .required, message: "\(path): must be specified for an update")]
            )
        }
        var outcome = try await changing(key, kind, isDryRun: options.isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            try checkVersion(admitted.object, live, kind, key)
            return try replaced(admitted.object, kind, key, live: live, options)
        }
        outcome.warnings = admitted.warnings
        return outcome
    }

    /// PATCH with a JSON Merge Patch (RFC 7396) against the object as served.
    func mergePatch(
        _ patch: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        guard case .object = patch else { throw .badRequest("a merge patch must be a JSON object") }
        return try await patching(kind, key, options) { (live) throws(APIFailure) in
            try checkVersion(patch, live, kind, key)
            return mergePatched(served(live), with: patch)
        }
    }

    /// PATCH with a JSON Patch (RFC 6902) against the object as served.
    func jsonPatch(
        _ document: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        _ options: WriteOptions
    ) async throws(APIFailure) -> WriteOutcome {
        let patch = try merging(key, kind) { () throws(MergeError) in try JSONPatch(document) }
        return try await patching(kind, key, options) { (live) throws(APIFailure) in
            let object = try merging(key, kind) { () throws(MergeError) in try patch.applied(to: served(live)) }
            // A patch may set another resourceVersion than the one that it was computed from, to be refused if it is old.
            try checkVersion(object, live, kind, key)
            return object
        }
    }

    private func patching(
        _ kind: Kind,
        _ key: ObjectKey,
        _ options: WriteOptions,
        _ patched: (StoreRecord) throws(APIFailure) -> JSONValue
    ) async throws(APIFailure) -> WriteOutcome {
        guard !options.isForced else {
            throw .invalidOption("force", "Forbidden: may not be specified for non-apply patch")
        }
        var warnings: [String] = []
        var outcome = try await changing(key, kind, isDryRun: options.isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            let admitted = try admitted(try patched(live), kind, path: key, options, isWhole: true)
            warnings = admitted.warnings
            return try replaced(admitted.object, kind, key, live: live, options)
        }
        outcome.warnings = warnings
        return outcome
    }

    /// The object that an apply by force would store, and whether it differs from the stored one; for plans.
    func wouldApply(
        _ body: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey
    ) async throws(APIFailure) -> (value: JSONValue, differs: Bool) {
        var options = WriteOptions()
        options.manager = meridianManager
        options.isForced = true
        let config = try admitted(body, kind, path: key, options, isWhole: false).object
        let name = config["metadata"]?["name"]?.string ?? key.name
        let named = ObjectKey(kind: kind.name, namespace: key.namespace, name: name)
        let live = try await storedRecord(named)
        let value = try applied(config, kind, named, live: live, options)
        return (value, value != live?.value)
    }
}

extension ObjectAPI {
    private func managedWrite(_ kind: Kind, _ options: WriteOptions) -> ManagedWrite {
        trail?.name(manager: options.manager)
        return ManagedWrite(kind: kind, part: options.part, manager: options.manager, now: clock.now)
    }

    private func merging<Value>(
        _ key: ObjectKey,
        _ kind: Kind,
        _ body: () throws(MergeError) -> Value
    ) throws(APIFailure) -> Value {
        do throws(MergeError) { return try body() } catch { throw APIFailure(error, key, kind) }
    }

    /// What is stored after an apply of `config`.
    private func applied(
        _ config: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        live: StoreRecord?,
        _ options: WriteOptions
    ) throws(APIFailure) -> JSONValue {
        let wish = try withSealedValues(config, kind, key, live: live)
        let merged = try merging(key, kind) { () throws(MergeError) in
            try managedWrite(kind, options).applying(wish, to: live?.value, isForced: options.isForced)
        }
        // What is stored was read and checked before.
        if let live, merged == live.value { return live.value }
        return try stored(merged, kind, key, live: live, countsGeneration: !options.isDryRun)
    }

    /// What is stored after `object` took the place of `live`.
    private func replaced(
        _ object: JSONValue,
        _ kind: Kind,
        _ key: ObjectKey,
        live: StoreRecord,
        _ options: WriteOptions
    ) throws(APIFailure) -> JSONValue {
        let wish = try withSealedValues(object, kind, key, live: live)
        let merged = try merging(key, kind) { () throws(MergeError) in
            try managedWrite(kind, options).replacing(live.value, with: wish)
        }
        return try stored(merged, kind, key, live: live, countsGeneration: !options.isDryRun)
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
            trail?.add(key, from: live?.value, to: isLast ? nil : value, at: revision)
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

    private func checkAlive(_ live: StoreRecord?, _ kind: Kind, _ key: ObjectKey) throws(APIFailure) {
        guard let live, isBeingDeleted(live) else { return }
        let next = "wait until it is gone (meridian get \(kind.singular) \(key.name)), then apply again"
        throw .conflict(key, kind, "the object is being deleted; \(next)")
    }

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
