// AuthenticatedBox: AES-256-GCM: bytes that only the key opens, and only for the owner that they were closed for.
internal import COpenSSL

/// One use of AES-256-GCM (NIST SP 800-38D); a box is the ciphertext and its tag.
enum AuthenticatedBox {
    static let keyBytes = 32
    static let nonceBytes = 12
    static let tagBytes = 16

    /// The box of `plain`; nil where OpenSSL fails.
    ///
    /// A pair of key and nonce closes one box and never another.
    static func close(_ plain: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ owner: String) -> [UInt8]? {
        precondition(key.count == keyBytes && nonce.count == nonceBytes)
        var tag = [UInt8](repeating: 0, count: tagBytes)
        var cipher = [UInt8](repeating: 0, count: plain.count)
        let isClosed = withCipher { context in
            var count: Int32 = 0
            return EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
                && EVP_EncryptUpdate(context, nil, &count, Array(owner.utf8), Int32(owner.utf8.count)) == 1
                && EVP_EncryptUpdate(context, &cipher, &count, plain, Int32(plain.count)) == 1
                && EVP_EncryptFinal_ex(context, nil, &count) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1
        }
        return isClosed ? cipher + tag : nil
    }

    /// What is in a box; nil where box, key, nonce or owner differ from the closing in any bit.
    static func open(_ box: [UInt8], _ key: [UInt8], _ nonce: [UInt8], _ owner: String) -> [UInt8]? {
        precondition(key.count == keyBytes && nonce.count == nonceBytes)
        guard box.count >= tagBytes else { return nil }
        let cipher = Array(box.dropLast(tagBytes))
        var tag = Array(box.suffix(tagBytes))
        var plain = [UInt8](repeating: 0, count: cipher.count)
        let isOpen = withCipher { context in
            var count: Int32 = 0
            return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
                && EVP_DecryptUpdate(context, nil, &count, Array(owner.utf8), Int32(owner.utf8.count)) == 1
                && EVP_DecryptUpdate(context, &plain, &count, cipher, Int32(cipher.count)) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &tag) == 1
                && EVP_DecryptFinal_ex(context, nil, &count) == 1
        }
        return isOpen ? plain : nil
    }

    /// Runs `body` with a fresh cipher context and clears it; false where there is no memory.
    private static func withCipher(_ body: (OpaquePointer) -> Bool) -> Bool {
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        return body(context)
    }
}
