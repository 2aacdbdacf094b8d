// AuditReadPort: where the API reads who changed what.
package import MeridianModel

/// Reads the audit log.
package protocol AuditReadPort: Sendable {
    /// The last entries that a query wants, the oldest first.
    ///
    /// Gaps, where entries were lost, are entries too (`annotations["meridian.dev/lost"]`); they concern everybody.
    func entries(_ query: AuditQuery) async throws(BackendError) -> [JSONValue]
}

/// Which entries of the audit log.
package struct AuditQuery: Sendable, Equatable {
    /// The name of who did it.
    package var user: String?
    /// The plural of the kind: `apps`.
    package var resource: String?
    package var namespace: String?
    package var name: String?
    /// Only what came at or after it.
    package var since: Timestamp?
    /// At least 1.
    package var limit: Int

    package init(
        user: String? = nil,
        resource: String? = nil,
        namespace: String? = nil,
        name: String? = nil,
        since: Timestamp? = nil,
        limit: Int = Self.limitDefault
    ) {
        self.user = user
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.since = since
        self.limit = limit
    }

    /// As many as a person reads.
    package static let limitDefault = 200
    /// An entry takes up to some kilobytes, and an answer stands in memory.
    package static let limitMax = 10_000

    /// Whether an entry is wanted, whatever its time.
    package func wants(_ entry: JSONValue) -> Bool {
        if entry["annotations"]?["meridian.dev/lost"] != nil { return true }
        let object = entry["objectRef"]
        let pairs = [
            (user, entry["user"]?["username"]), (resource, object?["resource"]), (namespace, object?["namespace"]),
            (name, object?["name"]),
        ]
        return pairs.allSatisfy { wanted, found in wanted == nil || wanted == found?.string }
    }
}
