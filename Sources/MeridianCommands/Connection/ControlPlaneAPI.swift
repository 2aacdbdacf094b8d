// ControlPlaneAPI: what the verbs ask of a running Meridian.

internal import MeridianModel

/// The API as the verbs use it; the HTTP client in the program, a fake in tests.
protocol ControlPlaneAPI: Sendable {
    /// The URL, for messages.
    var address: String { get }

    /// `{"version": "0.1.0", …}`.
    func version() async throws -> JSONValue
    /// The server's own summary.
    func status() async throws -> JSONValue

    /// The objects of a kind in name order, and the version that a watch goes on from.
    func list(_ query: ObjectQuery) async throws -> ObjectList
    /// The object; nil where there is none.
    func object(_ key: ObjectKey) async throws -> JSONValue?
    /// Every change after `version`; ends or throws when the connection does.
    func watch(_ query: ObjectQuery, after version: String) -> AsyncThrowingStream<ObjectChange, any Error>

    /// Makes the object what `json` says and returns it; with `isDryRun` only says what it would be.
    func apply(_ json: JSONValue, _ key: ObjectKey, isDryRun: Bool) async throws -> JSONValue
    /// Begins to delete the object; false where there is none.
    func delete(_ key: ObjectKey) async throws -> Bool

    /// Serves `revision`, or the newest ready one before the serving one, and returns the app.
    func rollback(_ app: ObjectKey, to revision: String?) async throws -> JSONValue
    func restart(_ app: ObjectKey) async throws -> JSONValue
    func rebuild(_ app: ObjectKey) async throws -> JSONValue
    /// The lines of an app's log without their newlines.
    func log(_ app: ObjectKey, _ selection: LogSelection) -> AsyncThrowingStream<String, any Error>

    /// The steps that the loop would take if `objects` were applied, as a plan document.
    func plan(_ objects: [JSONValue]) async throws -> JSONValue
    /// Uploads the packed source in `file`, unless the server has it.
    func upload(_ digest: Digest, file: String) async throws
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

/// Which lines of a log are wanted.
struct LogSelection: Sendable {
    var follow = false
    var revision: String?
    var tailLines: Int?
    /// The log of the build instead of the runners'.
    var isBuild = false
}

/// A refusal of the API or a failure to reach it.
struct ControlPlaneError: Error, CustomStringConvertible {
    /// The HTTP status; nil where there was no answer.
    let status: Int?
    /// For people, with the next step where there is one.
    let message: String

    var description: String { message }
}
