// LiveBlock: some lines at the end of a terminal that are written anew in place.

/// The control sequences (ECMA-48) that replace the lines of before by new ones.
struct LiveBlock {
    /// The lines that stand there now.
    private var height = 0

    /// The text that puts `lines` where the last ones stood.
    mutating func replacing(with lines: [String]) -> String {
        // CUU: up to the first line; ED: everything below is cleared, for a block that became shorter.
        let upwards = height > 0 ? "\u{1B}[\(height)A\r\u{1B}[J" : ""
        height = lines.count
        return upwards + lines.map { $0 + "\n" }.joined()
    }
}
