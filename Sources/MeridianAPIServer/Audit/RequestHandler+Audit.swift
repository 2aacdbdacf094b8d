// RequestHandler+Audit: who changed what goes into the audit log, whether it was allowed or not.
internal import HTTPTypes
internal import Hummingbird
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore

/// What is known of a request's connection.
struct ConnectionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's IP address; nil where the connection has none.
    let clientAddress: String?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        clientAddress = source.channel.remoteAddress?.ipAddress
    }
}

extension RequestHandler {
    /// Records an answered request that was meant to write; a dry run writes nothing and is none.
    func audit(
        _ request: Request,
        _ code: Int,
        _ trail: AuditTrail,
        from address: String?,
        since received: Timestamp
    ) {
        // A request whose query cannot be read was refused before anything could be meant.
        guard let wish = try? AccessRequest(request), wish.isWrite,
            (try? QueryParameters(request.uri.query).isDryRun()) != true
        else { return }
        auditLog.record(
            AuditEntry(
                id: objects.random.uuid(),
                request: wish,
                trail: trail,
                uri: request.uri.string,
                address: address,
                userAgent: request.headers[.userAgent],
                code: code,
                received: received,
                answered: objects.clock.now
            ).json
        )
    }
}
