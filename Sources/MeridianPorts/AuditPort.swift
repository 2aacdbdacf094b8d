// AuditPort: where the API tells who changed what.
package import MeridianModel

/// Keeps what is to be known later of every write.
package protocol AuditPort: Sendable {
    /// Takes an entry and returns at once; what cannot be kept is for the log behind the port to report.
    func record(_ entry: JSONValue)
}

/// Keeps nothing, for servers that are not a platform's own.
package struct NoAudit: AuditPort {
    package init() {}

    package func record(_ entry: JSONValue) {}
}
