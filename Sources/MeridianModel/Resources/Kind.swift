// Kind: every kind of object in one table: names, scope, schema, columns.

/// What the API, the CLI and the schemas need to know of a kind.
package struct Kind: Sendable {
    /// The API group that it is served in; empty for Kubernetes' core group, which serves some kinds a second time.
    package private(set) var group: String = apiGroup
    /// As manifests write it: `App`.
    package private(set) var name: String
    /// As paths and `get` write it: `apps`.
    package private(set) var plural: String
    package private(set) var singular: String
    package private(set) var shortNames: [String]
    package let isNamespaced: Bool
    /// Whether people write it; the others are written by Meridian alone.
    package let isDeclared: Bool
    /// The columns of `get`, after the name.
    package private(set) var columns: [Column]
    /// Reads and checks an object; nil after at least one problem.
    package private(set) var read: @Sendable (JSONValue, inout DecodingContext) -> (any APIObject)?
    /// The JSON Schema (draft 2020-12) of the kind, complete with `$defs`.
    package let schema: @Sendable () -> JSONObject

    /// One column of `get`.
    package struct Column: Sendable {
        package let name: String
        /// Where the value is: `status.servingRevision`, or `status.conditions[Ready]` for a condition's status.
        package let path: String
        /// Only with `-o wide`.
        package let isWide: Bool
        /// A timestamp that is shown as an age.
        package let isAge: Bool

        package init(_ name: String, _ path: String, wide: Bool = false, age: Bool = false) {
            self.name = name
            self.path = path
            isWide = wide
            isAge = age
        }
    }

    fileprivate init<Object: APIObject>(
        _: Object.Type,
        plural: String,
        shortNames: [String] = [],
        namespaced: Bool,
        declared: Bool,
        columns: [Column]
    ) {
        name = Object.kind
        self.plural = plural
        singular = Object.kind.lowercased()
        self.shortNames = shortNames
        isNamespaced = namespaced
        isDeclared = declared
        self.columns = columns + [Column("AGE", "metadata.creationTimestamp", age: true)]
        read = { Object.decode($0, at: FieldPath(), &$1) }
        schema = { documentSchema(of: Object.self, named: Object.kind) }
    }

    /// The apiVersion of its objects where it is served: `meridian.dev/v1`, or `v1` in the core group.
    package var apiVersion: String { group.isEmpty ? "v1" : "\(group)/v1" }

    /// This kind as Kubernetes' core group serves it: the same words under another group.
    package var inCoreGroup: Kind {
        var kind = self
        kind.group = ""
        return kind
    }

    /// This kind without its short names, for where those mean another one.
    package var withoutShortNames: Kind {
        var kind = self
        kind.shortNames = []
        return kind
    }

    /// A kind of the core group that shows this kind's objects in another form, under other words and columns.
    ///
    /// It reads nothing: objects of that form are never written.
    package func inCoreGroup(as name: String, plural: String, shortNames: [String], columns: [Column]) -> Kind {
        var kind = inCoreGroup
        kind.name = name
        kind.plural = plural
        kind.singular = name.lowercased()
        kind.shortNames = shortNames
        kind.columns = columns + [Column("AGE", "metadata.creationTimestamp", age: true)]
        kind.read = { _, _ in nil }
        return kind
    }

    /// The kind whose name, plural, singular or short name is `word`, compared without case; nil where there is none.
    package static func named(_ word: String) -> Kind? {
        let word = word.lowercased()
        return all.first { [$0.singular, $0.plural].contains(word) || $0.shortNames.contains(word) }
    }

    /// Every kind; those that people write first.
    package static let all: [Kind] = [
        Kind(
            App.self,
            plural: "apps",
            namespaced: true,
            declared: true,
            columns: [
                Column("BUILT", "status.conditions[Built]"), Column("READY", "status.conditions[Ready]"),
                Column("SERVING", "status.servingRevision"), Column("RUNNERS", "status.readyRunners"),
                Column("URL", "status.url"), Column("LATEST", "status.latestRevision", wide: true),
                Column("PINNED", "status.pinnedRevision", wide: true),
                Column("REASON", "status.conditions[Ready].reason", wide: true),
            ]
        ),
        Kind(
            Region.self,
            plural: "regions",
            namespaced: false,
            declared: true,
            columns: [
                Column("READY", "status.conditions[Ready]"), Column("LATITUDE", "spec.location.latitude", wide: true),
                Column("LONGITUDE", "spec.location.longitude", wide: true), Column("ALIASES", "spec.aliases"),
            ]
        ),
        Kind(
            TrafficSplit.self,
            plural: "trafficsplits",
            shortNames: ["ts", "splits"],
            namespaced: true,
            declared: true,
            columns: [
                Column("APP", "spec.app"), Column("READY", "status.conditions[Ready]"), Column("HOSTS", "spec.hosts"),
                Column("REASON", "status.conditions[Ready].reason", wide: true),
            ]
        ),
        Kind(
            SyscallAllowlist.self,
            plural: "syscallallowlists",
            shortNames: ["sal", "allowlists"],
            namespaced: false,
            declared: true,
            columns: [Column("GROUPS", "spec.groups"), Column("ON-DENIED", "spec.onDenied")]
        ),
        Kind(
            EdgePolicy.self,
            plural: "edgepolicies",
            shortNames: ["ep", "policies"],
            namespaced: false,
            declared: true,
            columns: [
                Column("READY", "status.conditions[Ready]"), Column("HOSTS", "spec.hosts"),
                Column("CLIENT-RATE", "spec.clientRate.requests"), Column("HOST-RATE", "spec.hostRate.requests"),
                Column("REASON", "status.conditions[Ready].reason", wide: true),
            ]
        ),
        Kind(Secret.self, plural: "secrets", namespaced: true, declared: true, columns: [Column("TYPE", "type")]),
        Kind(
            Namespace.self,
            plural: "namespaces",
            shortNames: ["ns"],
            namespaced: false,
            declared: true,
            columns: [Column("STATUS", "status.phase")]
        ),
        Kind(
            AccessToken.self,
            plural: "accesstokens",
            shortNames: ["tokens"],
            namespaced: false,
            declared: true,
            columns: [
                Column("ROLE", "spec.role"), Column("NAMESPACES", "spec.namespaces"), Column("NODE", "spec.node"),
                Column("EXPIRES", "spec.expiresAt"),
            ]
        ),
        Kind(
            GitSource.self,
            plural: "gitsources",
            shortNames: ["gs"],
            namespaced: false,
            declared: true,
            columns: [
                Column("READY", "status.conditions[Ready]"), Column("REASON", "status.conditions[Ready].reason"),
                Column("APPLIED", "status.appliedCommit"), Column("SUSPENDED", "spec.suspend"),
                Column("SEEN", "status.lastSeenCommit", wide: true), Column("URL", "spec.url", wide: true),
                Column("REF", "spec.ref", wide: true), Column("PATH", "spec.path", wide: true),
            ]
        ),
        Kind(
            Revision.self,
            plural: "revisions",
            shortNames: ["rev"],
            namespaced: true,
            declared: false,
            columns: [
                Column("APP", "spec.app"), Column("BUILT", "status.conditions[Built]"),
                Column("READY", "status.conditions[Ready]"), Column("RUNNERS", "status.readyRunners"),
                Column("REASON", "status.conditions[Ready].reason"), Column("BUNDLE", "status.bundle", wide: true),
                Column("PRESET", "status.preset", wide: true), Column("CACHED", "status.cached", wide: true),
            ]
        ),
        Kind(
            Runner.self,
            plural: "runners",
            namespaced: true,
            declared: false,
            columns: [
                Column("REVISION", "spec.revision"), Column("STATE", "status.state"), Column("NODE", "spec.node"),
                Column("PID", "status.pid", wide: true),
            ]
        ),
        Kind(
            Node.self,
            plural: "nodes",
            namespaced: false,
            declared: false,
            columns: [
                Column("READY", "status.conditions[Ready]"), Column("PROTECTED", "status.conditions[Protected]"),
                Column("RUNNERS", "status.runners"), Column("EDGES", "status.edges"),
                Column("REGIONS", "status.regions", wide: true),
                Column("PROTECTIONS", "status.protections", wide: true),
            ]
        ),
        Kind(
            Event.self,
            plural: "events",
            shortNames: ["ev"],
            namespaced: true,
            declared: false,
            columns: [
                Column("LAST", "lastTimestamp", age: true), Column("TYPE", "type"), Column("REASON", "reason"),
                Column("OBJECT", "involvedObject.kind"), Column("OF", "involvedObject.name"),
                Column("MESSAGE", "message"),
            ]
        ),
    ]
}

/// The complete JSON Schema of a document: its object with `$schema`, `$id`, `title` and every definition in `$defs`.
func documentSchema<Document: Shaped>(of _: Document.Type, named name: String) -> JSONObject {
    var definitions: [String: JSONObject] = [:]
    let own = Document.objectSchema(&definitions)
    var document = JSONObject()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["$id"] = .string("https://meridian.dev/schemas/v1/\(name.lowercased()).json")
    document["title"] = .string(name)
    for member in own.members { document[member.key] = member.value }
    if !definitions.isEmpty {
        let sorted = definitions.sorted { $0.key < $1.key }
        document["$defs"] = .object(JSONObject(sorted.map { .init(key: $0.key, value: .object($0.value)) }))
    }
    return document
}
