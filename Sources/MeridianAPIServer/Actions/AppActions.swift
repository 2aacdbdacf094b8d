// AppActions: rollback, restart and rebuild: annotations on an App that the loop acts on.
internal import MeridianModel
internal import MeridianPorts

extension ObjectAPI {
    /// Carries out a verb on an app; the answer is the app after it.
    func act(
        _ action: Subresource,
        _ key: ObjectKey,
        _ kind: Kind,
        body: JSONValue?,
        isDryRun: Bool
    ) async throws(APIFailure) -> JSONValue {
        switch action {
        case .restart: return try await raise(OwnAnnotation.restart, of: key, kind, isDryRun: isDryRun)
        case .rebuild: return try await raise(OwnAnnotation.rebuild, of: key, kind, isDryRun: isDryRun)
        case .rollback:
            let wanted = try wantedRevision(body)
            let live = try await app(key, kind)
            let rollback = try await rollback(of: live, key, kind, to: wanted)
            return try await annotating(key, kind, isDryRun: isDryRun) { annotations in
                annotations[OwnAnnotation.rollbackTo] = rollback.to
                annotations[OwnAnnotation.rollbackFrom] = rollback.from
            }
        case .status, .scale, .log, .learn: throw .noResource
        }
    }

    private func raise(
        _ annotation: String,
        of key: ObjectKey,
        _ kind: Kind,
        isDryRun: Bool
    ) async throws(APIFailure) -> JSONValue {
        try await annotating(key, kind, isDryRun: isDryRun) { annotations in
            let number = annotations[annotation].flatMap { Int($0) } ?? 0
            annotations[annotation] = String(number + 1)
        }
    }

    private func annotating(
        _ key: ObjectKey,
        _ kind: Kind,
        isDryRun: Bool,
        _ change: (inout [String: String]) -> Void
    ) async throws(APIFailure) -> JSONValue {
        try await changing(key, kind, isDryRun: isDryRun) { (live) throws(APIFailure) in
            guard let live else { throw .notFound(key, kind) }
            guard !isBeingDeleted(live) else { throw .conflict(key, kind, "the app is being deleted") }
            var app = try decoded(live.value, kind, key)
            change(&app.metadata.annotations)
            return app.encoded()
        }.object
    }

    private func app(_ key: ObjectKey, _ kind: Kind) async throws(APIFailure) -> App {
        let value = try await record(key, kind).value
        guard let app = try decoded(value, kind, key) as? App else { throw .notFound(key, kind) }
        return app
    }

    private func wantedRevision(_ body: JSONValue?) throws(APIFailure) -> String? {
        guard let body else { return nil }
        guard case .object(let object) = body, object.keys.allSatisfy({ $0 == "to" }) else {
            throw .badRequest("the body must be empty or {\"to\": \"NAME-OF-A-REVISION\"}")
        }
        guard let wanted = object["to"], !wanted.isNull else { return nil }
        guard let name = wanted.string else { throw .badRequest("to: expected a string, got \(wanted.typeName)") }
        return name
    }

    /// The annotations of a rollback: the revision that shall serve, and the newest one at this moment.
    ///
    /// Both are nil where the newest revision is asked for: that is what serves without a rollback.
    private func rollback(
        of app: App,
        _ key: ObjectKey,
        _ kind: Kind,
        to wanted: String?
    ) async throws(APIFailure) -> (to: String?, from: String?) {
        let revisions = try await revisions(of: key)
        let ready = revisions.filter(\.isReady).map(\.name)
        let serving = app.status.servingRevision.flatMap { RevisionName($0) }
        guard let newest = revisions.last?.name else { throw impossible(key, kind, "it has no revision yet", ready) }
        guard let wanted else {
            guard let serving else { throw impossible(key, kind, "no revision of it serves", ready) }
            guard let older = ready.last(where: { $0 < serving }) else {
                throw impossible(key, kind, "no ready revision is older than \(serving), which serves", ready)
            }
            return (older.description, newest.description)
        }
        guard let name = ready.first(where: { $0.description == wanted }) else {
            let isKnown = revisions.contains { $0.name.description == wanted }
            let why = isKnown ? "\(wanted) is not ready" : "there is no revision \"\(wanted.prefix(80))\" of it"
            throw impossible(key, kind, why, ready)
        }
        return name == newest ? (nil, nil) : (name.description, newest.description)
    }

    private func impossible(_ key: ObjectKey, _ kind: Kind, _ why: String, _ ready: [RevisionName]) -> APIFailure {
        let names = ready.map(\.description).joined(separator: ", ")
        let next = ready.isEmpty ? "It has no ready revision" : "Ready revisions: \(names)"
        return APIFailure(422, "Invalid", "cannot roll back \(kind.resource) \"\(key.name)\": \(why). \(next)")
    }

    /// The app's revisions that are not being deleted, oldest first.
    private func revisions(of key: ObjectKey) async throws(APIFailure) -> [(name: RevisionName, isReady: Bool)] {
        let records: [StoreRecord]
        do { records = try await store.snapshot(kinds: [RevisionSpec.kind]).records } catch { throw APIFailure(error) }
        var revisions: [(name: RevisionName, isReady: Bool)] = []
        for record in records where record.key.namespace == key.namespace && !isBeingDeleted(record) {
            guard record.value["spec"]?["app"]?.string == key.name, let name = RevisionName(record.key.name) else {
                continue
            }
            let conditions = record.value["status"]?["conditions"]?.array ?? []
            let isReady = conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
            revisions.append((name, isReady))
        }
        return revisions.sorted { $0.name < $1.name }
    }
}
