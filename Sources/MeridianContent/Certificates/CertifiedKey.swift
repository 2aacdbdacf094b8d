// CertifiedKey: a certificate with its private key: an authority, or what an authority issued.
internal import COpenSSL
internal import Glibc
package import MeridianModel

/// A certificate and its private key as PEM text (RFC 7468).
package struct CertifiedKey: Sendable, Equatable {
    /// One certificate, or a chain that begins with the key's own.
    package let certificate: String
    /// PKCS #8 without a passphrase; whoever reads it is who the certificate says.
    package let key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// A new authority that vouches for itself.
    ///
    /// Its key is on the curve P-256, which every TLS client takes.
    package static func authority(
        named name: String,
        from start: Timestamp,
        until end: Timestamp
    ) throws(ContentError) -> CertifiedKey {
        let draft = try CertificateDraft(subject: name, from: start, until: end)
        try draft.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        try draft.add(NID_key_usage, "critical,keyCertSign,cRLSign")
        try draft.add(NID_subject_key_identifier, "hash")
        return try draft.signed()
    }

    /// A new server certificate for `names`, vouched for by this authority.
    package func issue(
        for names: CertificateNames,
        from start: Timestamp,
        until end: Timestamp
    ) throws(ContentError) -> CertifiedKey {
        let draft = try CertificateDraft(subject: names.dns.first ?? "meridian", from: start, until: end)
        let issuer = try certificateObject(pem: certificate)
        defer { X509_free(issuer) }
        let issuerKey = try keyObject(pem: key)
        defer { EVP_PKEY_free(issuerKey) }
        try draft.add(NID_basic_constraints, "critical,CA:FALSE")
        try draft.add(NID_key_usage, "critical,digitalSignature")
        try draft.add(NID_ext_key_usage, "serverAuth")
        try draft.add(NID_subject_alt_name, names.text)
        try draft.add(NID_subject_key_identifier, "hash")
        try draft.add(NID_authority_key_identifier, "keyid:always", issuer: issuer)
        return try draft.signed(by: issuer, key: issuerKey)
    }

    /// When the certificate ends.
    package func end() throws(ContentError) -> Timestamp {
        let certificate = try certificateObject(pem: certificate)
        defer { X509_free(certificate) }
        var time = tm()
        guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1 else {
            throw openSSLError("read", "the end of the certificate")
        }
        return Timestamp(milliseconds: Int64(timegm(&time)) * 1000)
    }

    /// Whether the certificate names everything in `names`.
    package func covers(_ names: CertificateNames) throws(ContentError) -> Bool {
        let certificate = try certificateObject(pem: certificate)
        defer { X509_free(certificate) }
        return names.dns.allSatisfy { X509_check_host(certificate, $0, 0, 0, nil) == 1 }
            && names.addresses.allSatisfy { X509_check_ip_asc(certificate, $0, 0) == 1 }
    }

    /// Whether `authority` signed the certificate.
    package func isIssued(by authority: CertifiedKey) throws(ContentError) -> Bool {
        let certificate = try certificateObject(pem: certificate)
        defer { X509_free(certificate) }
        let issuer = try certificateObject(pem: authority.certificate)
        defer { X509_free(issuer) }
        defer { ERR_clear_error() }
        return X509_verify(certificate, X509_get0_pubkey(issuer)) == 1
    }

    /// Whether the key is the certificate's.
    package func isPair() throws(ContentError) -> Bool {
        let certificate = try certificateObject(pem: certificate)
        defer { X509_free(certificate) }
        let key = try keyObject(pem: key)
        defer { EVP_PKEY_free(key) }
        defer { ERR_clear_error() }
        return X509_check_private_key(certificate, key) == 1
    }
}

/// What a server is called by its clients.
package struct CertificateNames: Sendable, Equatable {
    /// Host names, each once, in lower case.
    package let dns: [String]
    /// IP addresses, each once.
    package let addresses: [String]

    /// Takes host names and IP addresses in any order; what is neither is refused, as it could be more than one name.
    package init(_ names: [String]) throws(ContentError) {
        var dns: [String] = []
        var addresses: [String] = []
        for name in names {
            let name = name.lowercased()
            if isIPAddress(name) {
                if !addresses.contains(name) { addresses.append(name) }
            } else if isHostName(name) {
                if !dns.contains(name) { dns.append(name) }
            } else {
                throw ContentError(.refused, "\"\(name)\" is neither a host name nor an IP address")
            }
        }
        self.dns = dns
        self.addresses = addresses
    }

    /// Every name, host names first.
    package var all: [String] { dns + addresses }

    /// OpenSSL's form of a subjectAltName extension.
    fileprivate var text: String { (dns.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }).joined(separator: ",") }
}

private func isIPAddress(_ text: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1
}
