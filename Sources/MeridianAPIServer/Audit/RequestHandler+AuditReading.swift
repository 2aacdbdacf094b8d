// RequestHandler+AuditReading: who changed what, for those who ask.
internal import MeridianModel
internal import MeridianPorts

extension RequestHandler {
    /// The entries that the parameters describe: `user`, `resource`, `namespace`, `name`, `since`, `limit`.
    func auditEntries(_ parameters: QueryParameters) async throws(APIFailure) -> JSONValue {
        guard let log = backends.audit else { throw .noResource }
        var query = AuditQuery(
            user: parameters["user"],
            resource: parameters["resource"],
            namespace: parameters["namespace"],
            name: parameters["name"]
        )
        if let text = parameters["since"] {
            guard let since = Timestamp(text) else {
                throw .badRequest("since: \"\(text.prefix(80))\" is no RFC 3339 time, as 2026-11-25T12:00:00Z")
            }
            query.since = since
        }
        let limit = try parameters.number("limit", in: 1...Int64(AuditQuery.limitMax))
        if let limit { query.limit = Int(limit) }
        let wanted = query
        return ["items": .array(try await backend { () async throws(BackendError) in try await log.entries(wanted) })]
    }
}
