// TokenText: the text of an access token: made once, shown once, kept by its holder alone.
package import MeridianModel

/// `mrd_NAME_SECRET`: the name of its AccessToken and 256 random bits in hexadecimal.
///
/// The prefix lets scanners find tokens that were published by mistake; the name finds the object without a search.
package struct TokenText: Sendable, Equatable, CustomStringConvertible {
    /// The name of the AccessToken.
    package let name: String
    private let secret: String

    private static let prefix = "mrd"
    private static let secretBytes = 32

    /// A new token for the AccessToken of that name.
    package init(makingFor name: String) throws(ContentError) {
        self.name = name
        let digits = Array("0123456789abcdef")
        secret = String(try randomBytes(Self.secretBytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The token in a text; nil where it is of another form.
    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == Self.prefix, isDNSLabel(parts[1]),
            parts[2].utf8.count == 2 * Self.secretBytes
        else { return nil }
        (name, secret) = (parts[1], parts[2])
    }

    package var description: String { "\(Self.prefix)_\(name)_\(secret)" }

    /// What an AccessToken keeps of it.
    ///
    /// One SHA-256 is enough: 256 random bits cannot be guessed, however fast guesses are.
    package var digest: Digest { Digest.of(Array(description.utf8)) }
}
