// ControlPlaneAPI: what the verbs ask of a running Meridian.

internal import MeridianModel
internal import MeridianPorts

/// The API as the verbs use it; the HTTP client in the program, a fake in tests.
protocol ControlPlaneAPI: Sendable {
    /// The URL, for messages.
    var address: String { get }

    /// `{"version": "0.1.0", …}`.
    func version() async throws -> JSONValue
    /// The server's own summary.
    func status() async throws -> JSONValue
    /// What the nodes measured: `{nodes: [NodeMeasures], silent: [name]}`.
    func measures() async throws -> JSONValue

    /// The objects of a kind in name order, and the version that a watch goes on from.
    func list(_ query: ObjectQuery) async throws -> ObjectList
    /// The object; nil where there is none.
    func object(_ key: ObjectKey) async throws -> JSONValue?
    /// Calls `handle` for every change after `version`; returns or throws when the connection ends.
    func watch(
        _ query: ObjectQuery,
        after version: String,
        _ handle: (ObjectChange) async throws -> Void
    ) async throws

    /// Makes the fields of the object that `json` names so.
    func apply(_ json: JSONValue, _ key: ObjectKey, _ options: ApplyOptions) async throws -> AppliedObject
    /// Begins to delete the object; false where there is none.
    ///
    /// Where `uid` is given another object of the name is a conflict.
    func delete(_ key: ObjectKey, uid: String?) async throws -> Bool

    /// Serves `revision`, or the newest ready one before the serving one, and returns the app.
    func rollback(_ app: ObjectKey, to revision: String?) async throws -> JSONValue
    func restart(_ app: ObjectKey) async throws -> JSONValue
    func rebuild(_ app: ObjectKey) async throws -> JSONValue
    /// Runs the app to see which syscalls it makes; a `SyscallLesson`.
    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws -> JSONValue
    /// Calls `handle` for each line that an app's runners or its build printed, without its newline.
    func log(_ request: LogRequest, _ handle: (String) async throws -> Void) async throws

    /// The steps that the loop would take if `objects` were applied and `removed` ones deleted, as a plan document.
    func plan(_ objects: [JSONValue], removing removed: [ObjectKey]) async throws -> JSONValue
    /// Uploads the packed source in `file`, unless the server has it.
    func upload(_ digest: Digest, file: String) async throws

    /// The last entries of the audit log that a query wants, the oldest first.
    func audit(_ query: AuditQuery) async throws -> [JSONValue]

    /// The public key that values are sealed with: `id`, `publicKey` (PEM), `createdAt`.
    func sealKey() async throws -> JSONValue
    /// Has another key pair made and answers its public key.
    func rotateSealKey() async throws -> JSONValue

    /// The bytes of a backup, which is worth nothing before it was read to its end.
    func backup(withKeys: Bool) async throws -> any AsyncSequence<[UInt8], any Error>

    /// Closes the connections; nothing can be asked afterwards.
    func shutdown() async
}

/// How objects are applied.
struct ApplyOptions: Sendable {
    /// Only say what an apply would lead to.
    var isDryRun = false
    /// Who owns the fields that are applied.
    var manager = meridianManager
    /// Take fields that others own.
    var isForced = false
}

/// Which objects a list or a watch is about.
struct ObjectQuery: Sendable {
    var kind: Kind
    /// Nil: all namespaces, or a cluster-scoped kind.
    var namespace: String?
    /// `app=hello,tier!=test`; nil: all.
    var labels: String?
    /// `metadata.name=hello`; nil: all.
    var fields: String?
}

/// Objects at one moment.
struct ObjectList: Sendable {
    var items: [JSONValue]
    /// The version that the list was read at, opaque.
    var resourceVersion: String
}

/// One change of one object.
struct ObjectChange: Sendable {
    enum Action: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
        /// Nothing changed up to the object's version.
        case bookmark = "BOOKMARK"
    }

    var action: Action
    var object: JSONValue

    /// The version that a later watch goes on from.
    var resourceVersion: String? { object["metadata"]?["resourceVersion"]?.string }
}

/// What applying one object did, or would do.
struct AppliedObject: Sendable {
    /// What became of the object.
    enum Outcome: String, Sendable {
        case created
        case configured
        case unchanged
    }

    let key: ObjectKey
    let outcome: Outcome
    /// The object as the server has it now, or would have it after a dry run.
    let object: JSONValue

    /// `app/hello created`.
    var line: String { "\(key.reference) \(outcome.rawValue)" }

    /// The generation that a wait is for.
    var generation: Int { Int(object["metadata"]?["generation"]?.integer ?? 0) }
}

extension ObjectKey {
    /// `app/hello`.
    var reference: String { "\(kind.lowercased())/\(name)" }

    /// The namespace; nil for cluster-scoped kinds.
    var namespaceIfAny: String? { namespace.isEmpty ? nil : namespace }
}

/// A refusal of the API or a failure to reach it.
struct ControlPlaneError: Error, CustomStringConvertible {
    /// The HTTP status; nil where there was no answer.
    let status: Int?
    /// For people, with the next step where there is one.
    let message: String
    /// For an apply that was refused: the fields that others own, with the words for who.
    var conflicts: [(field: String, owner: String)] = []

    /// HTTP 410: the server no longer knows what happened since the version.
    static let goneStatus = 410

    var description: String { message }
}
