// CertificateDraft: an X.509 certificate in the making, with a new key of its own.
internal import COpenSSL
internal import MeridianModel

/// A version 3 certificate (RFC 5280) whose extensions are added before it is signed.
struct CertificateDraft: ~Copyable {
    /// Owned, like `key`: freed with the draft.
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    private static let curve = "P-256"
    /// X.509 counts its versions from zero.
    private static let version3 = 2
    /// 127 random bits: enough that no two are alike (RFC 5280 §4.1.2.2 allows 20 bytes).
    private static let serialBytes = 16

    /// A draft with a new key and a random serial number.
    init(subject: String, from start: Timestamp, until end: Timestamp) throws(ContentError) {
        var serial = try randomBytes(Self.serialBytes)
        serial[0] = serial[0] & 0x7F | 0x01
        let key = try Self.newKey()
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            throw openSSLError("make", "a certificate")
        }
        let isSet =
            X509_set_version(certificate, Self.version3) == 1
            && ASN1_STRING_set(X509_get_serialNumber(certificate), serial, Int32(serial.count)) == 1
            && X509_NAME_add_entry_by_txt(
                X509_get_subject_name(certificate),
                "CN",
                MBSTRING_UTF8,
                subject,
                -1,
                -1,
                0
            ) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), start.seconds) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), end.seconds) != nil
            && X509_set_pubkey(certificate, key) == 1
        guard isSet else {
            X509_free(certificate)
            EVP_PKEY_free(key)
            throw openSSLError("fill in", "a certificate for \(subject)")
        }
        self.certificate = certificate
        self.key = key
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// Adds an extension in OpenSSL's text form (x509v3_config(5)); `issuer` is nil where nobody else signs.
    func add(_ identifier: Int32, _ value: String, issuer: OpaquePointer? = nil) throws(ContentError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer ?? certificate, certificate, nil, nil, 0)
        let part = try made(X509V3_EXT_conf_nid(nil, &context, identifier, value), "the extension \(value)")
        defer { X509_EXTENSION_free(part) }
        guard X509_add_ext(certificate, part, -1) == 1 else { throw openSSLError("add", "the extension \(value)") }
    }

    /// The finished pair, signed by its own key.
    func signed() throws(ContentError) -> CertifiedKey { try signed(by: certificate, key: key) }

    /// The finished pair, signed by another certificate's key.
    func signed(by issuer: OpaquePointer, key issuerKey: OpaquePointer) throws(ContentError) -> CertifiedKey {
        guard X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1,
            X509_sign(certificate, issuerKey, EVP_sha256()) > 0
        else { throw openSSLError("sign", "a certificate") }
        let (own, ownKey) = (certificate, key)
        return CertifiedKey(
            certificate: try pemText("a certificate") { PEM_write_bio_X509($0, own) },
            key: try pemText("a private key") { PEM_write_bio_PrivateKey($0, ownKey, nil, nil, 0, nil, nil) }
        )
    }

    private static func newKey() throws(ContentError) -> OpaquePointer {
        let context = try made(EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil), "a key's context")
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, curve) == 1,
            EVP_PKEY_generate(context, &key) == 1
        else { throw openSSLError("make", "a key on the curve \(curve)") }
        return try made(key, "a key")
    }
}

extension Timestamp {
    fileprivate var seconds: Int { Int(milliseconds / 1000) }
}
