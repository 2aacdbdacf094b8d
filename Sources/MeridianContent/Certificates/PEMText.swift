// PEMText: certificates and keys between PEM text and OpenSSL's objects.
internal import COpenSSL

/// A certificate in PEM form; the caller frees it with `X509_free`.
func certificateObject(pem: String) throws(ContentError) -> OpaquePointer {
    try made(reading(pem) { PEM_read_bio_X509($0, nil, nil, nil) }, "a certificate of the PEM text")
}

/// A private key in PEM form, without a passphrase; the caller frees it with `EVP_PKEY_free`.
func keyObject(pem: String) throws(ContentError) -> OpaquePointer {
    // A callback that gives no passphrase, since OpenSSL would otherwise ask at the terminal.
    let refuse: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
        _,
        _,
        _,
        _ in 0
    }
    return try made(
        reading(pem) { PEM_read_bio_PrivateKey($0, nil, refuse, nil) },
        "a private key of the PEM text"
    )
}

/// The object, or the error that OpenSSL made none; `what` names it.
func made(_ object: OpaquePointer?, _ what: String) throws(ContentError) -> OpaquePointer {
    guard let object else { throw openSSLError("make", what) }
    return object
}

private func reading(_ pem: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
    let bytes = Array(pem.utf8)
    return bytes.withUnsafeBytes { bytes in
        guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
        defer { BIO_free(source) }
        return read(source)
    }
}

/// The PEM text that `write` produces.
func pemText(_ what: String, _ write: (OpaquePointer) -> Int32) throws(ContentError) -> String {
    let sink = try made(BIO_new(BIO_s_mem()), "a buffer")
    defer { BIO_free(sink) }
    guard write(sink) == 1 else { throw openSSLError("write", what) }
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(sink))
    guard BIO_read(sink, &bytes, Int32(bytes.count)) == Int32(bytes.count) else { throw openSSLError("write", what) }
    return String(decoding: bytes, as: UTF8.self)
}

/// The words for a call to OpenSSL that failed just now; takes the reason out of OpenSSL's queue.
func openSSLError(_ doing: String, _ what: String) -> ContentError {
    let number = ERR_get_error()
    ERR_clear_error()
    let reason = ERR_reason_error_string(number).map { ": " + String(cString: $0) } ?? ""
    return ContentError(.unavailable, "OpenSSL cannot \(doing) \(what)\(reason)")
}
