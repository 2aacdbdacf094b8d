// APIAccess: how the API is reached and by whom: TLS where others can reach it, and the admin's token.
import Logging
import MeridianAPIServer
import MeridianContent
import MeridianModel
import MeridianPorts

/// The certificate and the token that the API starts with.
struct APIAccess: Sendable {
    /// Nil: the API listens on loopback and speaks plain HTTP.
    let identity: ServerIdentity?
    /// What clients on this machine call the server.
    let localHost: String
    /// Nil where clients on this machine need nothing.
    let local: LocalAccess?
    /// What was done, a line each.
    let notes: [String]

    private let certificates: (APICertificates, APICertificates.Loaded)?
    private let clock: any ClockPort

    /// Makes what is missing: an authority, a certificate, the admin's token.
    init(
        _ options: ControlPlaneOptions,
        _ directory: DataDirectory,
        store: any StorePort,
        clock: any ClockPort
    ) async throws {
        self.clock = clock
        let token = try await AdminToken(directory, store: store, clock: clock, random: SystemRandom())
        let tokenNote = "auth: \(token.isNew ? "made " : "")an admin's token: \(directory.adminToken)"
        guard let source = Self.source(options) else {
            (identity, local, certificates) = (nil, nil, nil)
            localHost = options.apiHost
            notes = token.isNew ? [tokenNote] : []
            return
        }
        let certificates = APICertificates(directory: directory, source: source)
        let loaded = try certificates.load(now: clock.now)
        identity = try ServerIdentity(certificate: loaded.identity.certificate, key: loaded.identity.key)
        local = LocalAccess(certificateAuthority: loaded.authority, token: token.text)
        localHost = Self.localHost(options, source)
        self.certificates = (certificates, loaded)
        notes = loaded.notes + [tokenNote]
    }

    /// Renews the certificate until cancelled; without one it only waits.
    func keepCertificate(logger: Logger) async throws {
        guard let identity, let (certificates, loaded) = certificates else {
            // A part that returns ends the platform.
            while !Task.isCancelled { try await clock.sleep(until: clock.now + .seconds(86_400)) }
            return
        }
        let keeper = CertificateKeeper(certificates: certificates, identity: identity, clock: clock, logger: logger)
        try await keeper.run(from: loaded)
    }

    /// Nil where the API needs no certificate.
    private static func source(_ options: ControlPlaneOptions) -> APICertificates.Source? {
        if let given = options.apiCertificate { return .files(certificate: given.certificate, key: given.key) }
        guard !isLoopbackHost(options.apiHost) else { return nil }
        return .ownAuthority(host: options.apiHost, names: options.apiNames)
    }

    /// The certificate's own names reach every address; one of others' is for a name that only they know.
    private static func localHost(_ options: ControlPlaneOptions, _ source: APICertificates.Source) -> String {
        if case .files = source, let name = options.apiNames.first { return name }
        guard isWildcard(options.apiHost) else { return options.apiHost }
        return options.apiHost == "::" ? "::1" : "127.0.0.1"
    }
}
