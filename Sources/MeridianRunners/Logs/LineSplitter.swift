// LineSplitter: bytes in, lines out.

/// Cuts a byte stream into lines; a line longer than the bound comes in pieces.
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
        let line = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes[...]
        return String(decoding: line, as: UTF8.self)
    }
}
