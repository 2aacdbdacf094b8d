// ManifestTextTests: the choice between YAML and JSON, lists, and text that is no text.

import MeridianModel
import Testing

@testable import MeridianManifests

@Suite("Manifest text")
struct ManifestTextTests {
    private func read(_ text: String, file: String = "m.yaml") -> ManifestSet {
        ManifestText.read(Array(text.utf8), file: file)
    }

    private func messages(_ bytes: [UInt8], file: String = "m.yaml") -> [String] {
        ManifestText.read(bytes, file: file).diagnostics.map(\.description)
    }

    @Test("JSON documents one after another are read, whatever the file is called")
    func json() {
        let set = read(" {\"kind\": \"A\"}\n{\"kind\": \"B\"}\n")
        #expect(set.documents.map { $0.value["kind"] } == ["A", "B"])
        #expect(set.documents.map(\.startLine) == [1, 2])
        #expect(set.documents.map(\.documentIndex) == [0, 1])
        #expect(set.diagnostics.isEmpty)
    }

    @Test("flow style that is no JSON is YAML, unless the name says JSON")
    func flowStyle() {
        #expect(read("{kind: App} # flow").documents.map(\.value) == [["kind": "App"]])
        #expect(
            messages(Array("{kind: App}".utf8), file: "m.json") == [
                "m.json:1:2: expected a key in double quotes, found 'k'"
            ]
        )
    }

    @Test("of two grammars that fail, the one that came further explains")
    func bestExplanation() {
        #expect(messages(Array("{\"a\": 1}\n{\"b\" 2}".utf8)) == ["m.yaml:2:6: expected ':' after a key, found '2'"])
        #expect(
            messages(Array("{a: 1,\n b: !x y}".utf8)).first?.hasPrefix("m.yaml:2:5: the tag !x is not known") == true
        )
    }

    @Test("the items of a List are documents with their own places, in YAML and in JSON")
    func lists() {
        let yaml = "kind: List\nitems:\n- kind: A\n- kind: List\n  items:\n  - kind: B\n---\nkind: C\n"
        let set = read(yaml)
        #expect(set.documents.map { $0.value["kind"] } == ["A", "B", "C"])
        #expect(set.documents.map(\.startLine) == [3, 6, 8])
        let second = set.documents[1].diagnostic(for: FieldPath("kind"), "no such kind")
        #expect(second.description == "m.yaml:6:11: kind: no such kind")
        let json = read("{\"kind\": \"List\", \"items\": [\n{\"kind\": \"A\"},\n{\"kind\": \"B\"}]}")
        #expect(json.documents.map(\.startLine) == [2, 3])
    }

    @Test("a List without items and documents that are no objects are errors; empty documents are nothing")
    func notObjects() {
        #expect(messages(Array("kind: List".utf8)) == ["m.yaml:1:1: a List needs items, an array of objects"])
        let hint = "a manifest is an object with apiVersion, kind and metadata"
        #expect(
            messages(Array("- a\n---\nword\n--- 1".utf8)) == [
                "m.yaml:1:1: this document is an array; \(hint)", "m.yaml:3:1: this document is a string; \(hint)",
                "m.yaml:4:5: this document is an integer; \(hint)",
            ]
        )
        #expect(messages(Array("kind: List\nitems: [x]".utf8)) == ["m.yaml:2:9: this document is a string; \(hint)"])
        let empty = read("---\n# nothing\n---\nkind: A\n---\n")
        #expect(empty.documents.count == 1)
        #expect(empty.diagnostics.isEmpty)
        #expect(read("").documents.isEmpty)
    }

    @Test("a byte order mark at the beginning is skipped and moves no column; one inside is refused")
    func byteOrderMark() {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        for text in ["kind: [x", "{\"kind\" x"] {
            #expect(messages(mark + Array(text.utf8)) == messages(Array(text.utf8)))
        }
        #expect(messages(Array("a: b\nc: ".utf8) + mark).first?.hasPrefix("m.yaml:2:4: a byte order mark") == true)
    }

    @Test("what is no UTF-8 text is refused with its place")
    func encodings() {
        #expect(messages([0xFF, 0xFE, 0x61, 0]) == ["m.yaml:1:1: the file is UTF-16 text. Save it as UTF-8"])
        #expect(messages([0xFE, 0xFF, 0, 0x61]) == ["m.yaml:1:1: the file is UTF-16 text. Save it as UTF-8"])
        #expect(messages([0x61, 0, 0x3A, 0]) == ["m.yaml:1:1: the file is UTF-16 text. Save it as UTF-8"])
        #expect(messages([0xFF, 0xFE, 0, 0]) == ["m.yaml:1:1: the file is UTF-32 text. Save it as UTF-8"])
        let latin1 = Array("a: é\nb: ".utf8) + [0xE9, 0x0A]
        #expect(messages(latin1) == ["m.yaml:2:4: a byte that is not UTF-8. Save the file as UTF-8"])
        #expect(messages(Array("a: x\0".utf8)) == ["m.yaml:1:5: a NUL byte; this is no text file, or it is damaged"])
        #expect(messages(Array("a: \u{1B}[0m".utf8)) == ["m.yaml:1:4: the control character U+001B. Remove it"])
    }

    @Test("a diagnostic at a field names its path; at a missing field, the nearest ancestor's place")
    func fieldDiagnostics() throws {
        let document = try #require(read("kind: App\nspec:\n  scaling: {max: 0}\n").documents.first)
        let path = FieldPath("spec", "scaling", "max")
        #expect(document.diagnostic(for: path, "too small").description == "m.yaml:3:18: spec.scaling.max: too small")
        let unknown = document.diagnostic(for: path, "unknown", atKey: true, severity: .warning)
        #expect(unknown.description == "m.yaml:3:13: warning: spec.scaling.max: unknown")
        let missing = document.diagnostic(for: FieldPath("spec", "source"), "is missing", atKey: true)
        #expect(missing.description == "m.yaml:2:1: spec.source: is missing")
    }

    @Test("diagnostics are sorted by file and place, and each appears once")
    func sorting() {
        func at(_ file: String, _ line: Int?, _ message: String) -> Diagnostic {
            Diagnostic(file: file, location: line.map { SourceLocation(line: $0, column: 1) }, message: message)
        }
        let all = [at("b", 1, "x"), at("a", 10, "x"), at("a", 9, "x"), at("a", nil, "x"), at("a", 9, "x")]
        #expect(all.sortedAndUnique.map(\.description) == ["a: x", "a:9:1: x", "a:10:1: x", "b:1:1: x"])
    }
}
