// LineSplitter: bytes in, printable lines out.

/// Cuts a byte stream into lines; a line longer than the bound comes in pieces.
///
/// What a program prints can neither forge a line of the log nor steer the terminal of who reads it.
struct LineSplitter {
    /// A longer line is data, not a message, and a page of memory per stream is enough to hold one.
    static let lineBytesMax = 4096

    private var rest: [UInt8] = []

    /// The lines that `bytes` completes.
    mutating func add(_ bytes: ArraySlice<UInt8>) -> [String] {
        var lines: [String] = []
        var remaining = bytes
        while let end = remaining.firstIndex(of: UInt8(ascii: "\n")) {
            rest += remaining[remaining.startIndex..<end]
            remaining = remaining[(end + 1)...]
            cut(&lines)
            lines.append(text(rest))
            rest = []
        }
        rest += remaining
        cut(&lines)
        return lines
    }

    /// What stands after the last newline; nil where nothing does.
    mutating func finish() -> String? {
        defer { rest = [] }
        return rest.isEmpty ? nil : text(rest)
    }

    private mutating func cut(_ lines: inout [String]) {
        while rest.count > Self.lineBytesMax {
            lines.append(text(Array(rest.prefix(Self.lineBytesMax))))
            rest.removeFirst(Self.lineBytesMax)
        }
    }

    private func text(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.unicodeScalars.contains(where: Self.isControl) ? Self.printable(text) : text
    }

    /// The text without escape sequences (ECMA-48 CSI, as colours are) and other control characters; tabs stay.
    static func printable(_ text: String) -> String {
        var kept = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\u{1B}", rest.first == "[" {
                rest.removeFirst()
                // Parameters and one final character.
                rest = rest.drop { !("\u{40}"..."\u{7E}").contains($0) }.dropFirst()
            } else if !isControl(scalar) {
                kept.append(scalar)
            }
        }
        return String(kept)
    }

    /// C0 but the tab, DEL and C1, and the two separators that some readers take for line ends.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09: false
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029: true
        default: false
        }
    }
}
