// SealKeyPort: the key pairs with which anyone seals values for Git, and the platform alone opens them.
package import MeridianModel

/// Hands out the public key, and makes another pair when asked to.
///
/// What was sealed with an earlier key goes on opening (`SealingPort.open`).
package protocol SealKeyPort: Sendable {
    /// The key that is sealed with now: `{"id": …, "publicKey": PEM, "createdAt": RFC 3339}`.
    func sealKey() async throws(BackendError) -> JSONValue

    /// Makes another pair and answers it as `sealKey` does.
    func rotateSealKey() async throws(BackendError) -> JSONValue
}
