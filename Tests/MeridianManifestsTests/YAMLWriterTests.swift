// YAMLWriterTests: what YAML for people looks like, and that it reads back.

import MeridianModel
import Testing

@testable import MeridianManifests

@Suite("YAML writer")
struct YAMLWriterTests {
    @Test("a manifest looks as a person would write it")
    func manifest() {
        let value: JSONValue = [
            "kind": "App", "metadata": ["name": "hello", "labels": [:]],
            "spec": [
                "args": ["--port", "80", "-", "a b"], "cpu": "1", "max": 10, "ratio": 1.0, "on": "yes",
                "script": "set -e\n\nrun it\n", "digest": "sha256:00ff", "image": "host:5000/x#y",
                "matrix": [[1, 2], [["k": nil, "l": []]]], "when": "2026-11-24T22:55:12Z", "empty": "",
                "memory": "256Mi",
            ],
        ]
        let expected = """
            kind: App
            metadata:
              name: hello
              labels: {}
            spec:
              args:
              - --port
              - "80"
              - "-"
              - a b
              cpu: "1"
              max: 10
              ratio: 1.0
              "on": "yes"
              script: |
                set -e

                run it
              digest: sha256:00ff
              image: host:5000/x#y
              matrix:
              - - 1
                - 2
              - - k: null
                  l: []
              when: "2026-11-24T22:55:12Z"
              empty: ""
              memory: 256Mi

            """
        #expect(value.yamlText == expected)
    }

    @Test("the end of a block of lines is kept whatever it is")
    func chomping() {
        #expect(JSONValue.string("a\nb").yamlText == "|-\n  a\n  b\n")
        #expect(JSONValue.string("a\n").yamlText == "|\n  a\n")
        #expect(JSONValue.string("a\n\n").yamlText == "|+\n  a\n\n")
        #expect(JSONValue.string(" a\nb").yamlText == "|2-\n   a\n  b\n")
        #expect(JSONValue.string("\n").yamlText == "\"\\n\"\n")
    }

    @Test("any value reads back as itself", arguments: 0..<40 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<100 {
            let value = anyValue(depth: 0, &random)
            let text = value.yamlText
            let read = YAMLText.read(Array(text.utf8))
            #expect(read.problems == [], "\(value.text()) as\n\(text)")
            #expect(read.documents.map(\.value) == [value], "\(value.text()) as\n\(text)")
        }
    }

    @Test("the deepest value and a key too long for one line read back")
    func extremes() {
        var deep: JSONValue = "x"
        for level in 0..<JSONValue.depthMax { deep = level % 2 == 0 ? [deep] : ["k": deep] }
        let long: JSONValue = [String(repeating: "k", count: 5000): [["a": "b\nc"]], "é\n": 1]
        for value in [deep, long, ["x": long]] {
            let read = YAMLText.read(Array(value.yamlText.utf8))
            #expect(read.problems == [])
            #expect(read.documents.map(\.value) == [value])
        }
    }

    private func anyValue(depth: Int, _ random: inout SplitMix) -> JSONValue {
        switch Int.random(in: 0..<(depth > 4 ? 6 : 10), using: &random) {
        case 0: return [nil, true, false].randomElement(using: &random) ?? nil
        case 1:
            return .integer(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random))
        case 2:
            let double = Double(bitPattern: random.next())
            return .double(double.isFinite ? double : 0.5)
        case 3, 4, 5: return .string(anyText(&random))
        case 6, 7:
            return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in anyValue(depth: depth + 1, &random) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                object[anyText(&random)] = anyValue(depth: depth + 1, &random)
            }
            return .object(object)
        }
    }

    private func anyText(_ random: inout SplitMix) -> String {
        let words = [
            "yes", "No", "null", "~", "true", "0x1F", "0o7", "1_000", "12:30", ".5", "-.inf", ".nan", "1e3",
            "2001-01-01",
            "<<", "=", "---", "...", "-", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "|", ">",
            "%a",
            "@a", "`a", "{a}", "[a]", "'a", "\"a", "a, b", "word", "two words",
        ]
        if Bool.random(using: &random) { return words.randomElement(using: &random) ?? "" }
        let pieces = [
            " ", "\n", "\t", "\r", "a", "b", ":", "#", "-", "\"", "\\", "'", "é", "😀", "\u{0}", "\u{7F}", "\u{85}",
            "\u{2028}", "\u{FEFF}", "\u{FFFF}", "\u{301}", "0", "\u{A0}", "%", "\n\n",
        ]
        let count = Int.random(in: 0..<8, using: &random)
        return (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    }
}
