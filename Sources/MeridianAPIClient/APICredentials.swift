// APICredentials: how a client knows its server, and how the server knows the client.
internal import NIOSSL

/// What a client needs besides the server's URL.
package struct APICredentials: Sendable, Equatable {
    /// The certificates, as PEM text, of those whom the client believes; nil: those that the system believes.
    package var certificateAuthority: String?
    /// The text of an access token; nil: the client says nothing of who it is.
    package var token: String?

    package init(certificateAuthority: String? = nil, token: String? = nil) {
        self.certificateAuthority = certificateAuthority
        self.token = token
    }

    /// The TLS settings for a client; nil where the system's are right.
    ///
    /// - Throws: `.local` where the certificates cannot be read.
    func tlsConfiguration() throws(APIClientError) -> TLSConfiguration? {
        guard let text = certificateAuthority else { return nil }
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)))
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        } catch {
            throw APIClientError(.local, "the certificate authority is no certificate in PEM form: \(error)")
        }
    }

    /// Refuses to send a token where others could read it on its way.
    func check(base: String) throws(APIClientError) {
        guard token != nil, base.hasPrefix("http://") else { return }
        let authority = base.dropFirst("http://".count).prefix { $0 != "/" }
        let isLocal = authority.hasPrefix("[::1]") || isLoopback(authority.prefix { $0 != ":" })
        guard isLocal else {
            throw APIClientError(
                .local,
                "a token would be sent unencrypted to \(base); use https:// or reach the server through ssh -L"
            )
        }
    }
}

/// Whether a host name means this machine; `127.0.0.1.example` does not.
private func isLoopback(_ host: Substring) -> Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return host == "localhost" || parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
}
