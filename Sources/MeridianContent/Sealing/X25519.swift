// X25519: agreeing on a secret over the curve of RFC 7748, through OpenSSL.
internal import COpenSSL

/// Keys as 32 bytes each.
enum X25519 {
    static let byteCount = 32

    /// A private key of random bytes; the curve's own rule makes any bytes one.
    static func makePrivateKey() throws(ContentError) -> [UInt8] { try randomBytes(byteCount) }

    static func publicKey(of privateKey: [UInt8]) throws(ContentError) -> [UInt8] {
        let key = try made(
            EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nil, privateKey, privateKey.count),
            "an X25519 key"
        )
        defer { EVP_PKEY_free(key) }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == byteCount else {
            throw openSSLError("read", "an X25519 key")
        }
        return bytes
    }

    /// The secret that both sides compute; nil where `publicKey` is a point that gives none (RFC 7748 §6.1).
    static func shared(_ privateKey: [UInt8], _ publicKey: [UInt8]) -> [UInt8]? {
        guard let own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nil, privateKey, privateKey.count) else {
            return nil
        }
        defer { EVP_PKEY_free(own) }
        guard let other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, publicKey, publicKey.count) else {
            return nil
        }
        defer { EVP_PKEY_free(other) }
        guard let context = EVP_PKEY_CTX_new(own, nil) else { return nil }
        defer {
            EVP_PKEY_CTX_free(context)
            // What a bad point leaves in the queue is nobody else's error.
            ERR_clear_error()
        }
        var secret = [UInt8](repeating: 0, count: byteCount)
        var count = secret.count
        guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, other) == 1,
            EVP_PKEY_derive(context, &secret, &count) == 1, count == byteCount
        else { return nil }
        return secret
    }
}
