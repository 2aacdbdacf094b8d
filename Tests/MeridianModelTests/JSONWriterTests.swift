// JSONWriterTests: compact, pretty and canonical JSON text.

import MeridianModel
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private let value: JSONValue = ["b": [1, 2.0, nil], "a": ["x": "é\"\\\n\u{1}\u{7F}"], "c": [], "d": [:]]

    @Test("compact text keeps key order and escapes what must be")
    func compact() {
        #expect(value.text() == #"{"b":[1,2.0,null],"a":{"x":"é\"\\\n\u0001\u007f"},"c":[],"d":{}}"#)
    }

    @Test("pretty text has one line per element, two spaces per level, and empty containers on one line")
    func pretty() {
        let expected = """
            {
              "b": [
                1,
                2.0,
                null
              ],
              "a": {
                "x": "é\\"\\\\\\n\\u0001\\u007f"
              },
              "c": [],
              "d": {}
            }
            """
        #expect(value.text(pretty: true) == expected)
    }

    @Test("equal values have one canonical text, whatever their key order")
    func canonical() {
        let one: JSONValue = ["b": 1, "a": ["d": 2, "c": 3]]
        let other: JSONValue = ["a": ["c": 3, "d": 2], "b": 1]
        #expect(one == other)
        #expect(one.canonicalText == other.canonicalText)
        #expect(one.canonicalText == #"{"a":{"c":3,"d":2},"b":1}"#)
    }

    @Test(
        "doubles are short, read back as the same double, and stay doubles",
        arguments: [0.1, 1.0, -0.0, 1e20, .leastNonzeroMagnitude, 1.7976931348623157e308, 1e-7, 123_456_789.125]
    )
    func doubles(_ double: Double) throws {
        let text = JSONValue.double(double).text()
        #expect(try JSONValue(parsing: text) == .double(double), "\(text)")
    }

    @Test("a double that is not finite is written as null")
    func notFinite() {
        #expect(JSONValue.array([.double(.infinity), .double(.nan)]).text() == "[null,null]")
    }
}
