// VersionRangeTests: which tags lie in a range, and which is the highest.
import MeridianModel
import Testing

@Suite("Ranges of versions")
struct VersionRangeTests {
    @Test(
        "the highest tag in the range is chosen",
        arguments: [
            ("1.x", ["v1.2.0", "1.10.0", "2.0.0"], "1.10.0"),
            ("^1.2.3", ["1.2.2", "1.2.4", "1.9.0", "2.0.0"], "1.9.0"),
            ("^0.2.3", ["0.2.9", "0.3.0"], "0.2.9"), ("^0.0.3", ["0.0.3", "0.0.4"], "0.0.3"),
            ("~1.2.3", ["1.2.9", "1.3.0"], "1.2.9"), ("~1", ["1.9.0", "2.0.0"], "1.9.0"),
            (">=1.2.0 <2.0.0", ["1.1.0", "1.5.0", "2.0.0"], "1.5.0"), (">1.2", ["1.2.9", "1.3.0"], "1.3.0"),
            ("<=1.2", ["1.2.9", "1.3.0"], "1.2.9"), ("1.2.3", ["1.2.3", "1.2.4"], "1.2.3"),
            ("*", ["0.1.0", "9.9.9", "10.0.0-rc.1"], "9.9.9"), ("1.x || 3.x", ["1.0.0", "2.0.0", "3.1.0"], "3.1.0"),
            (">=1.0.0-rc.1", ["1.0.0-rc.2", "1.0.0-rc.10"], "1.0.0-rc.10"),
            ("1.x", ["nightly", "1.0", "v1.0.0"], "v1.0.0"),
        ]
    )
    func highest(range: String, tags: [String], expected: String) throws {
        #expect(try #require(VersionRange(range)).highest(of: tags) == expected)
    }

    @Test("no tag is chosen where none is in the range", arguments: [("^2", ["1.0.0"]), ("1.x", ["1.1.0-rc.1"])])
    func none(range: String, tags: [String]) throws {
        #expect(try #require(VersionRange(range)).highest(of: tags) == nil)
    }

    @Test("what is no range is refused", arguments: ["", "|", "latest", ">=", "1.2.3.4", "01.2", "^x.1", "1..2"])
    func refused(text: String) { #expect(VersionRange(text) == nil) }

    @Test(
        "a pre-release comes before its release, numbers before words",
        arguments: [
            ("1.0.0-alpha", "1.0.0-alpha.1"), ("1.0.0-alpha.1", "1.0.0-alpha.beta"), ("1.0.0-beta.2", "1.0.0-beta.11"),
            ("1.0.0-rc.1", "1.0.0"), ("1.9.0", "1.10.0"),
        ]
    )
    func order(lower: String, higher: String) throws {
        #expect(try #require(SemanticVersion(lower)) < #require(SemanticVersion(higher)))
    }
}
