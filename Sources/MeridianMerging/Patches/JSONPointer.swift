// JSONPointer: a path in a JSON document as patches write it (RFC 6901).
internal import MeridianModel

/// The reference tokens of a pointer: `/spec/env/a~1b` is `spec`, `env`, `a/b`.
struct JSONPointer: Hashable {
    let tokens: [String]

    /// Reads a pointer (RFC 6901 §3): empty, or tokens that each begin with `/`, in which `~0` is `~` and `~1` is `/`.
    init(_ text: String) throws(MergeError) {
        guard text.isEmpty || text.hasPrefix("/") else { throw Self.malformed(text, "must begin with /") }
        var tokens: [String] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            var bytes: [UInt8] = []
            var rest = part
            while let byte = rest.popFirst() {
                switch (byte, byte == UInt8(ascii: "~") ? rest.popFirst() : nil) {
                case (UInt8(ascii: "~"), UInt8(ascii: "0")?): bytes.append(UInt8(ascii: "~"))
                case (UInt8(ascii: "~"), UInt8(ascii: "1")?): bytes.append(UInt8(ascii: "/"))
                case (UInt8(ascii: "~"), _): throw Self.malformed(text, "has a ~ that is neither ~0 nor ~1")
                default: bytes.append(byte)
                }
            }
            tokens.append(String(decoding: bytes, as: UTF8.self))
        }
        self.tokens = tokens
    }

    private static func malformed(_ text: String, _ why: String) -> MergeError {
        MergeError(.malformed, "the JSON pointer \"\(text.prefix(80))\" \(why)")
    }

    /// Whether this pointer leads to something inside what `other` leads to.
    func isInside(_ other: JSONPointer) -> Bool {
        tokens.count > other.tokens.count && tokens.starts(with: other.tokens)
    }
}

/// The index that a token names in an array of `count` elements; nil where it names none.
///
/// `-`, the place behind the last element, and `count` itself are taken where `isInsertion` (RFC 6902 §4.1).
func arrayIndex(_ token: String, count: Int, isInsertion: Bool) -> Int? {
    if token == "-" { return isInsertion ? count : nil }
    let isPlain = !token.isEmpty && token.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, token == "0" || !token.hasPrefix("0"), let index = Int(token) else { return nil }
    return index < count || (isInsertion && index == count) ? index : nil
}
