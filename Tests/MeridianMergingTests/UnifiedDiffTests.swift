// UnifiedDiffTests: diffs as GNU diff prints them, and as patch reads them.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Unified diffs")
struct UnifiedDiffTests {
    private func diff(_ old: String, _ new: String) -> String {
        unifiedDiff(old: lines(old), new: lines(new), labels: ("a", "b"))
    }

    private func lines(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    @Test("equal texts have none")
    func equal() {
        #expect(diff("", "") == "")
        #expect(diff("a b c", "a b c") == "")
    }

    @Test("a change shows three lines around it")
    func change() {
        #expect(
            diff("1 2 3 4 5 6 7 8 9", "1 2 3 4 x 6 7 8 9") == """
                --- a
                +++ b
                @@ -2,7 +2,7 @@
                 2
                 3
                 4
                -5
                +x
                 6
                 7
                 8

                """
        )
    }

    @Test("distant changes are two hunks, near ones are one")
    func hunks() {
        let far = diff("x 2 3 4 5 6 7 8 9", "y 2 3 4 5 6 7 8 z")
        #expect(far.split(separator: "\n").filter { $0.hasPrefix("@@") } == ["@@ -1,4 +1,4 @@", "@@ -6,4 +6,4 @@"])
        let near = diff("x 2 3 4 5 6 7 8", "y 2 3 4 5 6 7 z")
        #expect(near.split(separator: "\n").filter { $0.hasPrefix("@@") } == ["@@ -1,8 +1,8 @@"])
    }

    @Test("a new text is one hunk from line 0, and so is a removed one")
    func wholeText() {
        #expect(diff("", "a b") == "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+a\n+b\n")
        #expect(diff("a", "") == "--- a\n+++ b\n@@ -1 +0,0 @@\n-a\n")
    }

    @Test(
        "the fewest lines change",
        arguments: [("a b c a b b a", "c b a b a c", 5), ("a b", "b a", 2), ("a b c", "b", 2)]
    )
    func shortest(_ old: String, _ new: String, _ count: Int) {
        let edits = lineEdits(from: lines(old), to: lines(new))
        #expect(edits.count { if case .keep = $0 { false } else { true } } == count)
    }

    @Test("every script leads from the old text to the new one", arguments: 0..<300)
    func randomTexts(_ seed: Int) {
        var random = SeededRandom(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        let old = (0..<random.below(40)).map { _ in "\(random.below(6))" }
        let new = (0..<random.below(40)).map { _ in "\(random.below(6))" }
        var result: [String] = []
        var nextOld = 0
        for edit in lineEdits(from: old, to: new) {
            switch edit {
            case .keep(let old_, let new_):
                #expect(old_ == nextOld && new_ == result.count && old[old_] == new[new_])
                result.append(old[old_])
                nextOld += 1
            case .delete(let line):
                #expect(line == nextOld)
                nextOld += 1
            case .insert(let line):
                #expect(line == result.count)
                result.append(new[line])
            }
        }
        #expect(result == new && nextOld == old.count)
    }

    @Test("texts that differ beyond the bound are replaced in one piece")
    func bounded() {
        let old = (0..<3000).map { "old \($0)" }
        let new = (0..<3000).map { "new \($0)" }
        let text = unifiedDiff(old: ["same"] + old, new: ["same"] + new, labels: ("a", "b"))
        #expect(text.hasPrefix("--- a\n+++ b\n@@ -1,3001 +1,3001 @@\n same\n-old 0\n"))
    }
}

/// SplitMix64, so that a failing seed fails again.
struct SeededRandom {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }
}
