// APICertificates: the certificate that the API proves itself with: given, or issued by an authority of its own.
import Glibc
import MeridianContent
import MeridianModel

/// Loads, issues and renews the API's certificate.
struct APICertificates: Sendable {
    /// Where the certificate comes from.
    enum Source: Sendable {
        /// Files of others, who renew them too.
        case files(certificate: String, key: String)
        /// The authority in the data directory, for this machine as it listens on `host`, and for `names`.
        case ownAuthority(host: String, names: [String])
    }

    /// What the API proves itself with now.
    struct Loaded: Sendable {
        let identity: CertifiedKey
        /// The certificate of the authority, where it is Meridian's own.
        let authority: String?
        /// What was done just now and what holds, a line each, for whoever starts the platform.
        let notes: [String]
    }

    let directory: DataDirectory
    let source: Source

    /// Ten years: clients are told of the authority by hand, so that it should outlive machines.
    private static let authorityLifetime = Duration.seconds(3652 * 86_400)
    /// As public authorities issue them: a stolen key is of no use for longer.
    private static let certificateLifetime = Duration.seconds(90 * 86_400)
    /// A certificate with less than that left is replaced: a month in which renewal may fail and be repaired.
    private static let renewalMargin = Duration.seconds(30 * 86_400)
    /// Clocks of clients may be behind by so much.
    private static let clockSkew = Duration.seconds(3600)

    /// The certificate for now; issues what is missing, ends soon, or does not name what it should.
    func load(now: Timestamp) throws(ControlPlaneError) -> Loaded {
        do throws(ContentError) {
            switch source {
            case .files(let certificate, let key): return try given(certificate, key, now)
            case .ownAuthority(let host, let names):
                return try own(CertificateNames(machineNames(listeningOn: host, besides: names)), now)
            }
        } catch {
            throw ControlPlaneError("the API's certificate: \(error)")
        }
    }

    private func given(_ certificate: String, _ key: String, _ now: Timestamp) throws(ContentError) -> Loaded {
        let identity = CertifiedKey(certificate: try text(certificate), key: try text(key))
        let end = try identity.end()
        guard now < end else {
            throw ContentError(.refused, "\(certificate) ended at \(end); put a valid one there and start again")
        }
        guard try identity.isPair() else {
            throw ContentError(.refused, "\(key) is not the key of \(certificate); give the files that belong together")
        }
        let notes = ["tls:  certificate \(certificate), until \(end); it is read again every hour"]
        return Loaded(identity: identity, authority: nil, notes: notes)
    }

    private func own(_ names: CertificateNames, _ now: Timestamp) throws(ContentError) -> Loaded {
        try DurableFile.createDirectory(directory.tls, mode: 0o700)
        let (authority, isNewAuthority) = try authority(now)
        let (identity, isNew) = try certificate(of: authority, names, now)
        let done = isNewAuthority ? "made a certificate authority" : "certificate authority"
        let notes = [
            "tls:  \(done): \(directory.tlsAuthority)",
            "tls:  \(isNew ? "issued a " : "")certificate until \(try identity.end())"
                + " for \(names.all.joined(separator: ", "))",
        ]
        return Loaded(identity: identity, authority: authority.certificate, notes: notes)
    }

    private func authority(_ now: Timestamp) throws(ContentError) -> (CertifiedKey, isNew: Bool) {
        if let stored = try pair(directory.tlsAuthority, directory.tlsAuthorityKey) {
            guard try stored.end() - now > Self.renewalMargin else {
                throw ContentError(
                    .refused,
                    "the authority \(directory.tlsAuthority) ends at \(try stored.end()). Move \(directory.tls) away"
                        + " to have a new one made, and give its certificate to the clients"
                )
            }
            return (stored, false)
        }
        let made = try CertifiedKey.authority(
            named: "Meridian authority",
            from: now + (.zero - Self.clockSkew),
            until: now + Self.authorityLifetime
        )
        try save(made, directory.tlsAuthority, directory.tlsAuthorityKey)
        return (made, true)
    }

    private func certificate(
        of authority: CertifiedKey,
        _ names: CertificateNames,
        _ now: Timestamp
    ) throws(ContentError) -> (CertifiedKey, isNew: Bool) {
        if let stored = try pair(directory.tlsCertificate, directory.tlsKey),
            try stored.end() - now > Self.renewalMargin, try stored.covers(names), try stored.isPair(),
            try stored.isIssued(by: authority)
        {
            return (stored, false)
        }
        let end = min(now + Self.certificateLifetime, try authority.end())
        let issued = try authority.issue(for: names, from: now + (.zero - Self.clockSkew), until: end)
        try save(issued, directory.tlsCertificate, directory.tlsKey)
        return (issued, true)
    }

    /// The pair in two files; nil where one of them is missing, since the key is written first.
    private func pair(_ certificate: String, _ key: String) throws(ContentError) -> CertifiedKey? {
        do throws(ContentError) {
            return CertifiedKey(certificate: try text(certificate), key: try text(key))
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func save(_ pair: CertifiedKey, _ certificate: String, _ key: String) throws(ContentError) {
        try DurableFile.write(Array(pair.key.utf8), to: key, mode: 0o600)
        try DurableFile.write(Array(pair.certificate.utf8), to: certificate, mode: 0o600)
    }

    private func text(_ path: String) throws(ContentError) -> String {
        String(decoding: try DurableFile.read(path, atMost: Self.fileBytesMax), as: UTF8.self)
    }

    /// A chain of a few certificates has some kilobytes.
    private static let fileBytesMax = 1 << 20
}
