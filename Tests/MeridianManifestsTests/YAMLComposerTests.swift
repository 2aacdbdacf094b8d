// YAMLComposerTests: meaning, refusals and locations of YAML.

import MeridianModel
import Testing

@testable import MeridianManifests

@Suite("YAML composer")
struct YAMLComposerTests {
    private func values(_ text: String) -> [JSONValue] { YAMLText.read(Array(text.utf8)).documents.map(\.value) }

    private func problems(_ text: String) -> [String] {
        YAMLText.read(Array(text.utf8)).problems.map { "\($0.location): \($0.message)" }
    }

    @Test(
        "plain scalars mean what the YAML 1.2 core schema says",
        arguments: [
            ("~", .null), ("null", .null), ("True", true), ("FALSE", false), ("yes", "yes"), ("no", "no"), ("on", "on"),
            ("12", 12), ("-12", -12), ("+12", 12), ("0123", 123), ("0o17", 15), ("0xFf", 255), ("1_000", "1_000"),
            ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1.5E-3", -0.0015), ("1e", "1e"), (".", "."),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("-9223372036854775808", .integer(.min)),
            ("0x10000000000000000", .double(18_446_744_073_709_551_616)), ("0x", "0x"), ("0o8", "0o8"),
            ("-0x1", "-0x1"),
            ("2026-11-24", "2026-11-24"), ("1:30", "1:30"), ("\"12\"", "12"), ("'~'", "~"), ("!!str 12", "12"),
            ("! 12", "12"), ("!!int 12", 12), ("!!float 12", 12.0), ("!!bool true", true), ("!!null ~", .null),
            ("--port", "--port"), ("+", "+"), ("-.nan", "-.nan"),
        ] as [(String, JSONValue)]
    )
    func scalars(_ text: String, _ value: JSONValue) {
        #expect(values("[\(text)]") == [.array([value])])
        #expect(problems("[\(text)]") == [])
    }

    @Test("infinity, NaN, overflow, ill-fitting and unknown tags are refused")
    func refusedScalars() {
        let hint = "has no JSON form. Write a finite number, or quote it to have a string"
        #expect(problems("a: .inf") == ["1:4: .inf \(hint)"])
        #expect(problems("a: -.INF") == ["1:4: -.INF \(hint)"])
        #expect(problems("a: .NaN") == ["1:4: .NaN \(hint)"])
        #expect(problems("a: 1e999") == ["1:4: the number is beyond the range of a 64-bit double"])
        #expect(problems("a: !!int x") == [#"1:4: the value "x" does not fit its tag !!int"#])
        let unknown = "is not known here. Remove it; only core tags such as !!str have a meaning"
        #expect(problems("a: !secret x") == ["1:4: the tag !secret \(unknown)"])
        #expect(problems("a: !!set {x}") == ["1:4: the tag !!set \(unknown)"])
        #expect(problems("a: !!binary aa==") == ["1:4: the tag !!binary \(unknown)"])
    }

    @Test("several documents are kept apart, and a broken one hides neither those before nor those after it")
    func recovery() {
        let text = """
            a: 1
            ---
            b: [1, 2
            ---
            c: {x: 1, x: 2}
            ---
            d: 4
            """
        #expect(values(text) == [["a": 1], ["d": 4]])
        #expect(
            problems(text) == [
                "4:1: did not find expected ',' or ']' while parsing a flow sequence that begins on line 3",
                #"5:11: key "x" is already given on line 5. Remove one"#,
            ]
        )
    }

    @Test("every problem of a document is reported, not only the first")
    func severalProblems() {
        #expect(problems("a: .inf\nb: !x 1\na: 2\n").count == 3)
    }

    @Test("duplicate keys are found by what they mean")
    func duplicates() {
        #expect(problems("1: a\n\"1\": b") == [#"2:1: key "1" is already given on line 1. Remove one"#])
        #expect(problems("0x10: a\n16: b") == [#"2:1: key "16" is already given on line 1. Remove one"#])
        let many = (0..<100).map { "k\($0): 0\n" }.joined()
        #expect(problems(many + "k7: 1") == [#"101:1: key "k7" is already given on line 8. Remove one"#])
    }

    @Test("merge keys, null keys and keys that are no scalars are refused")
    func keys() {
        #expect(problems("a: &a {x: 1}\nb:\n  <<: *a\n").first?.hasPrefix("3:3: merge keys (<<) are not part") == true)
        #expect(values("\"<<\": 1") == [["<<": 1]])
        #expect(problems("~: 1") == ["1:1: a key is missing here, or is null. Write a key before the ':', or quote it"])
        #expect(problems("[a, b]: 1") == ["1:1: a key must be a scalar; JSON has no array as key"])
        #expect(problems("? {a: b}\n: 1") == ["1:3: a key must be a scalar; JSON has no object as key"])
    }

    @Test("aliases repeat their anchor's value; one without a finished anchor is refused")
    func aliases() {
        #expect(values("a: &x [1, {b: 2}]\nc: *x\n*x : no\n").isEmpty)
        #expect(values("a: &x [1]\nb: *x\nc: &x 2\nd: *x") == [["a": [1], "b": [1], "c": 2, "d": 2]])
        #expect(values("&k key: 1\nother: *k") == [["key": 1, "other": "key"]])
        let message = "the alias *x has no finished anchor &x before it in this document"
        #expect(problems("a: *x") == ["1:4: \(message)"])
        #expect(problems("a: &x [*x]") == ["1:8: \(message)"])
        #expect(problems("a: &x 1\n---\nb: *x") == ["3:4: \(message)"])
    }

    @Test("a bomb of nested aliases is refused, quickly")
    func aliasBomb() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1..<40 {
            let references = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(references)]\n"
        }
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("aliases expand to more than 4 MiB of text") == true)
    }

    @Test("depth is counted through aliases")
    func depthThroughAliases() {
        func nest(_ levels: Int, _ inner: String) -> String {
            String(repeating: "[", count: levels) + inner + String(repeating: "]", count: levels)
        }
        #expect(problems("- &a \(nest(300, "x"))\n- \(nest(211, "*a"))") == [])
        let found = problems("- &a \(nest(300, "x"))\n- \(nest(212, "*a"))")
        #expect(found == ["2:215: sequences and mappings nest deeper than 512 levels, aliases counted"])
        #expect(problems(nest(513, "x")).count == 1)
        #expect(problems(nest(100_000, "x")).count == 1)
        #expect(problems(String(repeating: "- ", count: 5000) + "x").count == 1)
    }

    @Test("a document refused for its depth does not hide the next")
    func nextAfterTooDeep() {
        #expect(values(String(repeating: "[", count: 100_000) + "\n---\na: 1\n") == [["a": 1]])
    }

    @Test("a text of nothing but faults is given up after a hundred")
    func manyFaults() {
        #expect(problems(String(repeating: "--- }\n", count: 100_000)).count == 100)
    }

    @Test("locations are those of keys and values, in characters")
    func locations() throws {
        let text = "spec:\n  \"é😀\": &a\n    - x\n    - {k: v}\n  empty:\n  alias: *a\n"
        let tree = try #require(YAMLText.read(Array(text.utf8)).documents.first).locations
        let list = FieldPath("spec", "é😀")
        #expect(tree.location(of: FieldPath("spec"), key: true).description == "1:1")
        #expect(tree.location(of: FieldPath("spec")).description == "2:3")
        #expect(tree.location(of: list, key: true).description == "2:3")
        #expect(tree.location(of: list[0]).description == "3:7")
        #expect(tree.location(of: list[1]["k"]).description == "4:11")
        #expect(tree.location(of: FieldPath("spec", "empty"), key: true).description == "5:3")
        #expect(tree.location(of: FieldPath("spec", "alias")).description == "6:10")
        #expect(tree.location(of: FieldPath("spec", "alias")[1]["k"]).description == "4:11")
    }

    @Test("tabs as indentation are called by their name")
    func tabs() {
        #expect(problems("a:\n\tb: 1").first?.hasPrefix("2:1: a tab cannot indent YAML. Use spaces") == true)
        #expect(problems("a:\n  - b\n \t- c").first?.hasPrefix("3:2: a tab cannot indent YAML") == true)
    }

    @Test("carriage returns before line feeds change nothing")
    func carriageReturns() throws {
        let read = YAMLText.read(Array("a:\r\n  b: |\r\n    x\r\n    y\r\nc: 1\r\n".utf8))
        #expect(read.documents.map(\.value) == [["a": ["b": "x\ny\n"], "c": 1]])
        #expect(read.documents.first?.locations.location(of: FieldPath("c")).description == "5:4")
    }
}
