// JSONParserTests: values, refusals and locations of the JSON parser.

import MeridianModel
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    private func fault(_ text: String) -> String {
        do throws(JSONSyntaxError) {
            return "accepted as \(try JSONValue(parsing: text))"
        } catch {
            return error.description
        }
    }

    @Test("integers stay integers up to the ends of Int64 and become doubles beyond")
    func numbers() throws {
        #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
        #expect(try JSONValue(parsing: "-9223372036854775808") == .integer(.min))
        #expect(try JSONValue(parsing: "9223372036854775808") == .double(9_223_372_036_854_775_808))
        #expect(try JSONValue(parsing: "-9223372036854775809") == .double(-9_223_372_036_854_775_808))
        #expect(try JSONValue(parsing: "1.0") == .double(1))
        #expect(try JSONValue(parsing: "1E2") == .double(100))
        #expect(try JSONValue(parsing: "-0") == .integer(0))
    }

    @Test("a number beyond the range of a double is refused, never infinity")
    func noInfinity() {
        #expect(fault("[1, -1e400]") == "1:5: a number beyond the range of a 64-bit double")
    }

    @Test("escapes and surrogate pairs give their characters; half a pair is refused")
    func escapes() throws {
        #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000""#) == "\"\\/\u{8}\u{C}\n\r\té😀\0")
        #expect(fault(#""\ud83d""#) == "1:3: half a surrogate pair, which is no Unicode character")
        #expect(fault(#""\ude00x""#) == "1:3: half a surrogate pair, which is no Unicode character")
        #expect(fault(#""\ud83d\ud83d""#) == "1:3: half a surrogate pair, which is no Unicode character")
    }

    @Test("faults name line and column in characters, and what was found")
    func locations() {
        #expect(fault("{\"é😀\": 1,\n  \"b\" 2}") == "2:7: expected ':' after a key, found '2'")
        #expect(fault("[\"é😀\" x]") == "1:7: expected ',' or ']' in an array, found 'x'")
        #expect(fault("") == "1:1: the text is empty where a JSON value is expected")
        #expect(fault("[1,\n") == "2:1: expected a JSON value, found the end of the text")
        #expect(fault("{} {}") == "1:4: unexpected '{' after the end of the JSON document")
        #expect(fault("[01]") == "1:2: a number must not begin with a needless 0")
        #expect(fault("[True]") == "1:2: expected a JSON value, found 'T'")
    }

    @Test("duplicate keys are refused at the second one, however they are escaped and however many keys there are")
    func duplicates() {
        #expect(fault(#"{"a": 1, "\u0061": 2}"#) == #"1:10: key "a" is given twice in one object. Remove one"#)
        let many = (0..<100).map { "\"k\($0)\": 0" }.joined(separator: ",")
        #expect(fault("{\(many),\"k3\": 1}").hasSuffix(#"key "k3" is given twice in one object. Remove one"#))
        #expect(fault("{\(many),\"k99\": 1}").hasSuffix(#"key "k99" is given twice in one object. Remove one"#))
    }

    @Test("with lastWins the last value counts at the first one's place")
    func lastWins() throws {
        let value = try JSONValue(parsing: #"{"a": 1, "b": 2, "a": 3}"#, duplicateKeys: .lastWins)
        #expect(value.text() == #"{"a":3,"b":2}"#)
    }

    @Test("nesting is accepted up to the bound and refused beyond")
    func depth() {
        let bound = JSONValue.depthMax
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(fault(nested(bound)).hasPrefix("accepted"))
        #expect(fault(nested(bound + 1)) == "1:\(bound + 1): arrays and objects nest deeper than 512 levels")
        #expect(fault(String(repeating: "{\"a\":", count: 100_000)).hasSuffix("deeper than 512 levels"))
    }

    @Test("bytes that are not UTF-8 are refused where they stand")
    func encoding() {
        for bytes: [UInt8] in [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80], [0xFF],
        ] {
            let error = #expect(throws: JSONSyntaxError.self) {
                try JSONValue(parsing: Array("\"a".utf8) + bytes + Array("\"".utf8))
            }
            #expect(error?.offset == 2, "\(bytes)")
        }
    }

    @Test("documents one after another are read with the locations of all parts")
    func documents() throws {
        let text = "{\"a\": [1,\n {\"é\": \"x\"}]}\n{\"b\": 2}[]"
        let (documents, error) = LocatedValue.jsonDocuments(in: Array(text.utf8))
        #expect(error == nil)
        #expect(documents.map { $0.value.text() } == [#"{"a":[1,{"é":"x"}]}"#, #"{"b":2}"#, "[]"])
        let tree = try #require(documents.first).locations
        #expect(tree.start.description == "1:1")
        #expect(tree.location(of: FieldPath("a"), key: true).description == "1:2")
        #expect(tree.location(of: FieldPath("a")[0]).description == "1:8")
        #expect(tree.location(of: FieldPath("a")[1]["é"], key: true).description == "2:3")
        #expect(tree.location(of: FieldPath("a")[1]["é"]).description == "2:8")
        #expect(documents[1].locations.start.description == "3:1")
        #expect(documents[2].locations.start.description == "3:9")
    }

    @Test("documents before a fault are kept")
    func documentsBeforeFault() {
        let (documents, error) = LocatedValue.jsonDocuments(in: Array("{}\n{]".utf8))
        #expect(documents.count == 1)
        #expect(error?.description == "2:2: expected a key in double quotes, found ']'")
    }

    @Test("random damage to a valid text never crashes, and what is accepted survives a round trip")
    func mutations() throws {
        let seedText = #"{"a":[1,-2.5e3,"é😀\u00e9\n",null,true],"b":{"c":{},"d":[[]]},"e":"\ud83d\ude00"}"#
        var random = SplitMix(state: 7)
        for _ in 0..<5000 {
            var bytes = Array(seedText.utf8)
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: index)
                default: bytes.remove(at: index)
                }
            }
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect(try JSONValue(parsing: value.text(pretty: true)) == value)
        }
    }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64), so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
