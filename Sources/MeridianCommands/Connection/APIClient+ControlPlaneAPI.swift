// APIClient+ControlPlaneAPI: the HTTP client as the verbs use it.

internal import MeridianAPIClient
internal import MeridianModel
internal import MeridianPorts

/// A client of the API of a server.
func connectedClient(_ access: ServerAccess) throws -> any ControlPlaneAPI {
    let credentials = APICredentials(certificateAuthority: access.certificateAuthority, token: access.token)
    do throws(APIClientError) {
        return RemoteControlPlane(client: try APIClient(server: access.url, credentials: credentials))
    } catch {
        throw failure(error)
    }
}

/// A running Meridian behind the HTTP client.
private struct RemoteControlPlane: ControlPlaneAPI {
    let client: APIClient

    var address: String { client.server }

    func version() async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.version() }
    }

    func status() async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.status() }
    }

    func measures() async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.measures() }
    }

    func list(_ query: ObjectQuery) async throws -> ObjectList {
        let list = try await told { () throws(APIClientError) in try await client.list(query.kind, query.selection) }
        return ObjectList(items: list.items, resourceVersion: list.resourceVersion)
    }

    func object(_ key: ObjectKey) async throws -> JSONValue? {
        try await told { () throws(APIClientError) in try await client.getIfPresent(key) }
    }

    func watch(
        _ query: ObjectQuery,
        after version: String,
        _ handle: (ObjectChange) async throws -> Void
    ) async throws {
        do {
            for try await event in try await client.watch(query.kind, query.selection, after: version) {
                try await handle(ObjectChange(action: event.action, object: event.object))
            }
        } catch let error as APIClientError {
            throw failure(error)
        }
    }

    func apply(_ json: JSONValue, _ key: ObjectKey, _ options: ApplyOptions) async throws -> AppliedObject {
        let applied = try await told { () throws(APIClientError) in
            try await client.apply(
                json,
                key,
                isDryRun: options.isDryRun,
                manager: options.manager,
                isForced: options.isForced
            )
        }
        let outcome: AppliedObject.Outcome =
            switch applied.change {
            case .created: .created
            case .configured: .configured
            case .unchanged: .unchanged
            }
        return AppliedObject(key: key, outcome: outcome, object: applied.object)
    }

    func delete(_ key: ObjectKey, uid: String?) async throws -> Bool {
        do throws(APIClientError) {
            try await client.delete(key, uid: uid)
            return true
        } catch {
            guard error.code == .notFound else { throw failure(error) }
            return false
        }
    }

    func rollback(_ app: ObjectKey, to revision: String?) async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.rollback(app, to: revision) }
    }

    func restart(_ app: ObjectKey) async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.restart(app) }
    }

    func rebuild(_ app: ObjectKey) async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.rebuild(app) }
    }

    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.learn(app, settings) }
    }

    func log(_ request: LogRequest, _ handle: (String) async throws -> Void) async throws {
        do {
            for try await line in try await client.logs(request) { try await handle(line) }
        } catch let error as APIClientError {
            throw failure(error)
        }
    }

    func plan(_ objects: [JSONValue], removing removed: [ObjectKey]) async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.plan(objects, removing: removed) }
    }

    func upload(_ digest: Digest, file: String) async throws {
        _ = try await told { () throws(APIClientError) in try await client.upload(digest, file: file) }
    }

    func audit(_ query: AuditQuery) async throws -> [JSONValue] {
        try await told { () throws(APIClientError) in try await client.audit(query) }
    }

    func sealKey() async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.sealKey() }
    }

    func rotateSealKey() async throws -> JSONValue {
        try await told { () throws(APIClientError) in try await client.rotateSealKey() }
    }

    func backup(withKeys: Bool) async throws -> any AsyncSequence<[UInt8], any Error> {
        try await told { () throws(APIClientError) in try await client.backup(withKeys: withKeys) }
    }

    func shutdown() async { await client.shutdown() }

    /// The answer of `request`, or its failure as the verbs tell it.
    private func told<Value: Sendable>(
        _ request: () async throws(APIClientError) -> Value
    ) async throws(ControlPlaneError) -> Value {
        do throws(APIClientError) { return try await request() } catch { throw failure(error) }
    }
}

private func failure(_ error: APIClientError) -> ControlPlaneError {
    let prefix = "conflict with "
    let conflicts = error.causes.filter { error.code == .conflict && $0.message.hasPrefix(prefix) }
    return ControlPlaneError(
        status: error.httpStatus,
        message: error.message,
        conflicts: conflicts.map { (field: $0.field, owner: String($0.message.dropFirst(prefix.count))) }
    )
}

extension ObjectQuery {
    fileprivate var selection: APIClient.Selection {
        APIClient.Selection(namespace: namespace, labels: labels, fields: fields)
    }
}

extension WatchEvent {
    fileprivate var action: ObjectChange.Action {
        switch change {
        case .added: .added
        case .modified: .modified
        case .deleted: .deleted
        case .bookmark: .bookmark
        }
    }
}
