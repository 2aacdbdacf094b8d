// FakePlatform: a control plane in memory, as far as the verbs can tell.

import MeridianContent
import MeridianMerging
import MeridianModel
import MeridianPorts
import Synchronization

@testable import MeridianCommands

/// Objects by key with versions, generations and watches; no loop unless a test plays one.
final class FakePlatform: ControlPlaneAPI {
    static let now = Timestamp(milliseconds: 1_767_225_600_000)

    let address = "http://test"

    struct State {
        var objects: [ObjectKey: JSONValue] = [:]
        var version = 0
        var history: [(version: Int, change: ObjectChange)] = []
        var watchers: [Int: (query: ObjectQuery, stream: AsyncThrowingStream<ObjectChange, any Error>.Continuation)] =
            [:]
        var uploads: [Digest] = []
        var log: [String] = []
        /// The pieces of a backup, and whether the connection is cut after them.
        var backup: (pieces: [[UInt8]], isCut: Bool) = ([], false)
        var lesson = SyscallLesson()
        /// The plan with objects, and without.
        var plans: (with: JSONValue, without: JSONValue) = (["steps": []], ["steps": []])
        var audit: [JSONValue] = []
        var auditQueries: [AuditQuery] = []
        var warnings: [JSONValue] = []
        var sealKey: PublicSealingKey?
        var refusal: ControlPlaneError?
    }

    private let state = Mutex(State())
    /// Plays the loop: called after every write of an object, outside the lock.
    private let afterWrite: @Sendable (FakePlatform, ObjectKey) -> Void

    init(afterWrite: @escaping @Sendable (FakePlatform, ObjectKey) -> Void = { _, _ in }) {
        self.afterWrite = afterWrite
    }

    var uploads: [Digest] { state.withLock { $0.uploads } }
    var log: [String] { state.withLock { $0.log } }

    func update(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }

    /// Writes an object as the loop would: no generation, no merging.
    func put(_ object: JSONValue) {
        guard let key = key(of: object) else { return }
        state.withLock { state in
            let isNew = state.objects[key] == nil
            record(isNew ? .added : .modified, object, key, &state)
        }
    }

    /// Sets the status of an object that exists.
    func setStatus(_ key: ObjectKey, _ status: JSONValue) {
        state.withLock { state in
            guard case .object(var object)? = state.objects[key] else { return }
            object["status"] = status
            record(.modified, .object(object), key, &state)
        }
    }

    private func key(of object: JSONValue) -> ObjectKey? {
        guard let kind = Kind.all.first(where: { $0.name == object["kind"]?.string }),
            let name = object["metadata"]?["name"]?.string
        else { return nil }
        return kind.key(name, namespace: object["metadata"]?["namespace"]?.string ?? "default")
    }

    private func record(_ action: ObjectChange.Action, _ object: JSONValue, _ key: ObjectKey, _ state: inout State) {
        state.version += 1
        let versioned = object.settingMetadata("resourceVersion", .string(String(state.version)))
        if action == .deleted { state.objects.removeValue(forKey: key) } else { state.objects[key] = versioned }
        let change = ObjectChange(action: action, object: versioned)
        state.history.append((state.version, change))
        for watcher in state.watchers.values where matches(versioned, watcher.query) { watcher.stream.yield(change) }
    }

    private func matches(_ object: JSONValue, _ query: ObjectQuery) -> Bool {
        let metadata = object["metadata"]
        guard object["kind"]?.string == query.kind.name else { return false }
        if let namespace = query.namespace, metadata?["namespace"]?.string != namespace { return false }
        if let labels = query.labels {
            let wanted = labels.split(separator: "=").map(String.init)
            guard metadata?["labels"]?[wanted[0]]?.string == wanted[1] else { return false }
        }
        return (query.fields ?? "").split(separator: ",").allSatisfy { field in
            let parts = field.split(separator: "=").map(String.init)
            let path = FieldPath(parts[0].split(separator: ".").map { .field(String($0)) })
            return object[path]?.string == parts[1]
        }
    }
}

extension FakePlatform {
    func version() async throws -> JSONValue { ["meridian": "0.1.0-test"] }
    func status() async throws -> JSONValue {
        ["apps": 1, "warnings": .array(state.withLock { $0.warnings })]
    }
    func measures() async throws -> JSONValue { ["nodes": [], "silent": ["local"]] }

    func list(_ query: ObjectQuery) async throws -> ObjectList {
        try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            let items = state.objects.sorted { $0.key < $1.key }.map(\.value).filter { matches($0, query) }
            return ObjectList(items: items, resourceVersion: String(state.version))
        }
    }

    func object(_ key: ObjectKey) async throws -> JSONValue? {
        try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            return state.objects[key]
        }
    }

    func watch(
        _ query: ObjectQuery,
        after version: String,
        _ handle: (ObjectChange) async throws -> Void
    ) async throws {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: ObjectChange.self)
        state.withLock { state in
            for (number, change) in state.history where number > Int(version) ?? 0 && matches(change.object, query) {
                continuation.yield(change)
            }
            state.watchers[state.watchers.count] = (query, continuation)
        }
        for try await change in stream { try await handle(change) }
        try Task.checkCancellation()
    }

    func apply(_ json: JSONValue, _ key: ObjectKey, _ options: ApplyOptions) async throws -> AppliedObject {
        let isDryRun = options.isDryRun
        let kind = try knownKind(key.kind)
        let result = try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            let live = state.objects[key]
            let write = ManagedWrite(kind: kind, manager: options.manager, now: Timestamp(milliseconds: 0))
            var merged = try refused { () throws(MergeError) in
                try write.applying(json.sealed, to: live, isForced: options.isForced)
            }
            if let live, normalized(live, kind: kind) == normalized(merged, kind: kind) {
                return AppliedObject(key: key, outcome: .unchanged, object: live)
            }
            let generation = live?["metadata"]?["generation"]?.integer ?? 0
            merged = merged.settingMetadata("generation", .integer(generation + 1))
            if !isDryRun { record(live == nil ? .added : .modified, merged, key, &state) }
            let after = isDryRun ? merged : state.objects[key] ?? merged
            return AppliedObject(key: key, outcome: live == nil ? .created : .configured, object: after)
        }
        if !isDryRun { afterWrite(self, key) }
        return result
    }

    /// The outcome of a merge, or its refusal as the HTTP client tells it.
    private func refused(_ merge: () throws(MergeError) -> JSONValue) throws(ControlPlaneError) -> JSONValue {
        do throws(MergeError) { return try merge() } catch {
            let conflicts = error.conflicts.map { (field: $0.pathText, owner: $0.owner.title) }
            throw ControlPlaneError(status: 409, message: error.message, conflicts: conflicts)
        }
    }

    func delete(_ key: ObjectKey, uid: String?) async throws -> Bool {
        try state.withLock { state in
            guard let object = state.objects[key] else { return false }
            if let uid, uid != object["metadata"]?["uid"]?.string {
                throw ControlPlaneError(status: 409, message: "the object has another uid")
            }
            state.log.append("delete \(key)")
            record(.deleted, object, key, &state)
            return true
        }
    }

    func rollback(_ app: ObjectKey, to revision: String?) async throws -> JSONValue {
        let target = revision ?? "\(app.name)-00001"
        let serving: JSONValue = [
            "type": "Serving", "status": "True", "reason": "Routed", "lastTransitionTime": "2026-01-01T00:00:00Z",
        ]
        setStatus(app, ["servingRevision": .string(target), "conditions": [serving]])
        let annotations: JSONValue = .object(JSONObject([.init(key: OwnAnnotation.rollbackTo, value: .string(target))]))
        return try await object(app)?.settingMetadata("annotations", annotations) ?? .null
    }

    func restart(_ app: ObjectKey) async throws -> JSONValue { note("restart \(app)") }
    func rebuild(_ app: ObjectKey) async throws -> JSONValue { note("rebuild \(app)") }

    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws -> JSONValue {
        _ = note("learn \(app) for \(settings.duration.text): \(settings.paths.joined(separator: " "))")
        return state.withLock { $0.lesson }.encoded()
    }

    private func note(_ words: String) -> JSONValue {
        state.withLock { $0.log.append(words) }
        return .null
    }

    func log(_ request: LogRequest, _ handle: (String) async throws -> Void) async throws {
        try await handle("2026-01-01T00:00:00Z runner-1 \(request.isBuild ? "built" : "hello")")
    }

    func audit(_ query: AuditQuery) async throws -> [JSONValue] {
        state.withLock { state in
            state.auditQueries.append(query)
            return state.audit
        }
    }

    var auditQueries: [AuditQuery] { state.withLock { $0.auditQueries } }

    func sealKey() async throws -> JSONValue {
        let key = state.withLock { $0.sealKey }
        return ["id": .string(key?.id ?? ""), "publicKey": .string(key?.pem ?? "")]
    }

    func rotateSealKey() async throws -> JSONValue {
        let key = try PrivateSealingKey().publicKey
        state.withLock { $0.sealKey = key }
        return try await sealKey()
    }

    func backup(withKeys: Bool) async throws -> any AsyncSequence<[UInt8], any Error> {
        let backup = state.withLock { state in
            state.log.append(withKeys ? "backup with keys" : "backup")
            return state.backup
        }
        return AsyncThrowingStream { continuation in
            for piece in backup.pieces { continuation.yield(piece) }
            continuation.finish(
                throwing: backup.isCut ? ControlPlaneError(status: nil, message: "the connection ended") : nil
            )
        }
    }

    func shutdown() async {}

    func plan(_ objects: [JSONValue], removing removed: [ObjectKey]) async throws -> JSONValue {
        state.withLock { objects.isEmpty ? $0.plans.without : $0.plans.with }
    }

    func upload(_ digest: Digest, file: String) async throws { state.withLock { $0.uploads.append(digest) } }
}

extension JSONValue {
    /// This object with a member of its metadata set.
    func settingMetadata(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(var object) = self, case .object(var metadata)? = object["metadata"] else { return self }
        metadata[name] = value
        object["metadata"] = .object(metadata)
        return .object(object)
    }

    /// A Secret as the server stores it.
    fileprivate var sealed: JSONValue {
        guard self["kind"]?.string == Secret.kind, case .object(var secret) = self,
            case .object(let plain)? = secret["stringData"]
        else { return self }
        let sealed = plain.members.map {
            JSONObject.Member(key: $0.key, value: .string("sealed:\($0.value.string?.count ?? 0)"))
        }
        secret["stringData"] = nil
        secret["sealed"] = .object(JSONObject(sealed))
        return .object(secret)
    }
}
