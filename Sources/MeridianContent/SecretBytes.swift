// SecretBytes: random bytes that are fit for keys, and comparing texts without telling how much of them agrees.
internal import COpenSSL

/// Random bytes that are fit for keys.
///
/// - Throws: `.unavailable` where the system gives no randomness.
package func randomBytes(_ count: Int) throws(ContentError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else {
        throw ContentError(.unavailable, "OpenSSL has no randomness; check /dev/urandom")
    }
    return bytes
}

/// Whether two texts are equal, in a time that depends on their lengths alone.
package func equalInConstantTime(_ left: String, _ right: String) -> Bool {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    return left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
