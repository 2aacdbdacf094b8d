// CertificateKeeper: renews the API's certificate while the platform runs.
import Logging
import MeridianAPIServer
import MeridianContent
import MeridianModel
import MeridianPorts

/// Looks at the certificate now and then, and hands the API another one where there is.
struct CertificateKeeper: Sendable {
    let certificates: APICertificates
    let identity: ServerIdentity
    let clock: any ClockPort
    let logger: Logger

    /// Soon after a certificate that others renew was put in place; renewal is due a month before the end.
    private static let lookInterval = Duration.seconds(3600)

    /// Looks until cancelled.
    func run(from first: APICertificates.Loaded) async throws {
        var current = first.identity
        while !Task.isCancelled {
            try await clock.sleep(until: clock.now + Self.lookInterval)
            do {
                let next = try certificates.load(now: clock.now).identity
                guard next != current else { continue }
                try identity.replace(certificate: next.certificate, key: next.key)
                current = next
                let end = try next.end()
                logger.notice("the API has another certificate", metadata: ["until": "\(end)"])
            } catch {
                // The old certificate goes on; there is time until it ends.
                logger.error("the API's certificate is not renewed", metadata: ["reason": "\(error)"])
            }
        }
    }
}
