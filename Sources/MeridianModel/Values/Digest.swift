// Digest: the SHA-256 name of a piece of content.

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits (OCI image-spec, "Digests").
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let hex: String

    /// Parses `sha256:<64 hex digits>`; nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix("sha256:") else { return nil }
        self.init(hex: String(text.dropFirst("sha256:".count)))
    }

    /// A digest of 64 lower-case hexadecimal digits; nil for anything else.
    package init?(hex: String) {
        let isHex = hex.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
        }
        guard hex.utf8.count == 64, isHex else { return nil }
        self.hex = hex
    }

    fileprivate init(zeroHex: String) { hex = zeroHex }

    package var description: String { "sha256:\(hex)" }

    /// The first twelve hexadecimal digits, for messages to people.
    package var short: String { String(hex.prefix(12)) }

    package static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }
}

extension Digest {
    /// Sixty-four zeros: the placeholder of a required field before it is read; never the name of content.
    package static let zero = Digest(zeroHex: String(repeating: "0", count: 64))
}
