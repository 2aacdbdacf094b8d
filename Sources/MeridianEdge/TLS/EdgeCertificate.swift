// EdgeCertificate: a certificate as an edge is given it.

/// A certificate chain with its key, and the hosts that are served with it.
package struct EdgeCertificate: Sendable, Equatable {
    /// Exact names, or `*.NAME` for every host one label below; lower case.
    package let hosts: [String]
    /// PEM, the host's own certificate first.
    package let chain: String
    /// PEM without a passphrase.
    package let key: String

    package init(hosts: [String], chain: String, key: String) {
        self.hosts = hosts
        self.chain = chain
        self.key = key
    }
}

/// Makes a certificate for a host that has none, or nil where it has no business with the host.
///
/// Called on a loop's thread within a handshake: some milliseconds at most.
package typealias CertificateIssuer = @Sendable (_ host: String) -> EdgeCertificate?
