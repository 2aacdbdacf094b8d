// UnifiedDiff: differences as `diff -u` prints them, for people, reviews and patch(1).

/// Unchanged lines that are shown around a change, as `diff -u` does.
private let contextLines = 3

/// The difference of two texts in the unified format of GNU diff; empty where they are equal.
///
/// The lines come without their newlines; each is taken to end in one. `labels` stand in the `---` and `+++` lines.
package func unifiedDiff(old: [String], new: [String], labels: (old: String, new: String)) -> String {
    let edits = lineEdits(from: old, to: new)
    let hunks = hunkRanges(edits)
    guard !hunks.isEmpty else { return "" }
    var text = "--- \(labels.old)\n+++ \(labels.new)\n"
    for hunk in hunks { text += hunkText(edits, hunk, old: old, new: new) }
    return text
}

/// The ranges of the script that are printed: every change with its context, joined where contexts touch.
private func hunkRanges(_ edits: [LineEdit]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for (index, edit) in edits.enumerated() {
        if case .keep = edit { continue }
        let range = max(0, index - contextLines)..<min(edits.count, index + contextLines + 1)
        if let last = ranges.last, last.upperBound >= range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            ranges.append(range)
        }
    }
    return ranges
}

private func hunkText(_ edits: [LineEdit], _ range: Range<Int>, old: [String], new: [String]) -> String {
    var body = ""
    var oldCount = 0
    var newCount = 0
    for edit in edits[range] {
        switch edit {
        case .keep(let line, _):
            body += " \(old[line])\n"
            oldCount += 1
            newCount += 1
        case .delete(let line):
            body += "-\(old[line])\n"
            oldCount += 1
        case .insert(let line):
            body += "+\(new[line])\n"
            newCount += 1
        }
    }
    let before = edits[..<range.lowerBound]
    let oldBefore = before.count { if case .insert = $0 { false } else { true } }
    let newBefore = before.count { if case .delete = $0 { false } else { true } }
    return "@@ -\(rangeText(oldBefore, oldCount)) +\(rangeText(newBefore, newCount)) @@\n\(body)"
}

/// `start,count` with lines counted from 1; an empty range names the line before it, and a count of 1 is left out.
private func rangeText(_ before: Int, _ count: Int) -> String {
    switch count {
    case 0: "\(before),0"
    case 1: "\(before + 1)"
    default: "\(before + 1),\(count)"
    }
}
