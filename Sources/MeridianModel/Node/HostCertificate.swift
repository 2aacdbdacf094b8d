// HostCertificate: a TLS certificate on its way to a node's edge.

/// A certificate chain with its key, and the hosts that are served with it.
package struct HostCertificate: Shaped, Equatable {
    /// Sorted, lower case.
    package var hosts: [String] = []
    /// PEM, the hosts' own certificate first.
    package var chain: String = ""
    /// PEM without a passphrase.
    package var key: String = ""
    /// Values that are still sealed, by field: in plans; opened before a node gets the certificate.
    package var sealed: [String: SealedValue] = [:]

    /// The keys of a Secret that holds a certificate, as Kubernetes names them.
    package static let chainKey = "tls.crt"
    package static let privateKey = "tls.key"

    package init() {}

    package static let shape: Shape<HostCertificate> = Shape(
        "HostCertificate",
        "A certificate chain with its key, and the hosts that are served with it.",
        fields: [
            .init(required: "hosts", \.hosts, "The hosts that are served with it, sorted."),
            .init("chain", \.chain, default: "", "PEM, the hosts' own certificate first."),
            .init("key", \.key, default: "", "PEM without a passphrase."),
            .init("sealed", \.sealed, default: [:], "Values that are still sealed; in plans only."),
        ]
    )
}
