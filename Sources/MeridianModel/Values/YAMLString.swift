// YAMLString: in which of YAML's styles a string can be written so that it reads back as itself.

/// A string to be written as YAML.
struct YAMLString {
    let text: String

    init(_ text: String) { self.text = text }

    /// Whether the bare text reads back as this string, as key or value in block context.
    var isPlain: Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        let space = UInt8(ascii: " ")
        guard first != space, last != space, last != UInt8(ascii: ":"), !beginsWithIndicator else { return false }
        guard !text.hasPrefix("---"), !text.hasPrefix("..."), !resembles(words: Self.reservedWords) else {
            return false
        }
        guard !resemblesNumberOrTime, text.unicodeScalars.allSatisfy(Self.isPrintable) else { return false }
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if previous == UInt8(ascii: ":"), byte == space { return false }
            if previous == space, byte == UInt8(ascii: "#") { return false }
            previous = byte
        }
        return true
    }

    /// Whether the text can stand in a literal block (`|`): several lines with something in them, nothing to escape.
    var isLiteralBlock: Bool {
        guard text.utf8.contains(0x0A) else { return false }
        guard text.utf8.contains(where: { $0 != 0x0A && $0 != 0x20 && $0 != 0x09 }) else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "\n" || $0 == "\t" || Self.isPrintable($0) }
    }

    /// The text in double quotes on one line, with every character escaped that YAML does not take as it is.
    var quoted: String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where Self.isPrintable(scalar): result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
            }
        }
        return result + "\""
    }

    /// YAML 1.2 §5.1 `c-printable` without tab, line breaks of any YAML version and the byte order mark.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }

    /// YAML 1.2 §5.3; a `-` is harmless where no space follows it, as in `--port`.
    private var beginsWithIndicator: Bool {
        let bytes = text.utf8.prefix(2)
        guard let first = bytes.first else { return false }
        if first == UInt8(ascii: "-") { return bytes.count < 2 || bytes.last == UInt8(ascii: " ") }
        return "?:,[]{}#&*!|>'\"%@`".utf8.contains(first)
    }

    /// What YAML 1.1 or 1.2 reads as null, boolean, merge key or default key, in lower case.
    private static let reservedWords: Set<String> = [
        "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "=",
    ]

    private func resembles(words: Set<String>) -> Bool { text.utf8.count <= 5 && words.contains(text.lowercased()) }

    /// Whether the text could be a number, date or base-60 number in YAML 1.1 or 1.2; may err towards yes.
    private var resemblesNumberOrTime: Bool {
        var rest = text.utf8[...]
        if let first = rest.first, "+-".utf8.contains(first) { rest = rest.dropFirst() }
        let lowercased = String(rest)?.lowercased() ?? ""
        if lowercased == ".inf" || lowercased == ".nan" { return true }
        if ["0x", "0o", "0b"].contains(where: lowercased.hasPrefix) { return true }
        if rest.first == UInt8(ascii: ".") { rest = rest.dropFirst() }
        guard let first = rest.first, (0x30...0x39).contains(first) else { return false }
        return rest.allSatisfy { "0123456789_.:+-eEtTzZ ".utf8.contains($0) }
    }
}
