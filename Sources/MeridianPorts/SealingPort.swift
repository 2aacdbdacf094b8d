// SealingPort: secrets at rest.
package import MeridianModel

/// Seals secret values before they are stored, and opens them for the programs that may have them.
package protocol SealingPort: Sendable {
    /// The sealed text of a plain value; sealing twice gives two texts.
    ///
    /// `owner`: what the value belongs to (`secretOwner`); it opens only for the same owner.
    func seal(_ plain: String, for owner: String) throws(SealingError) -> String

    /// The plain value of a sealed text.
    func open(_ sealed: String, for owner: String) throws(SealingError) -> String

    /// A short text that differs between sealed texts and tells nothing of the value: what people are shown instead.
    ///
    /// It depends on the sealed text alone (the beginning of its SHA-256, say), begins with `sealed:` and fits on a line.
    func fingerprint(_ sealed: String) -> String
}

/// The owner that the value of one key of a Secret is sealed for: `Secret/default/db/PASSWORD`.
package func secretOwner(_ secret: ObjectKey, key: String) -> String { "\(secret)/\(key)" }

/// Why a value was not sealed or opened.
package struct SealingError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// Changed, sealed for another owner or under another key.
        case corrupted
        /// Larger than what is sealed.
        case refused
        case unavailable
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "sealing: \(code.rawValue): \(message)" }
}
