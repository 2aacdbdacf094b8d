// FieldSetTests: sets of paths: their text, their algebra.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Sets of fields")
struct FieldSetTests {
    private func set(_ text: String) throws -> FieldSet { try FieldSet(fieldsV1: try JSONValue(parsing: text)) }

    @Test(
        "fieldsV1 reads and writes back",
        arguments: [
            "{}", #"{"f:a":{}}"#, #"{"f:a":{"f:b":{}}}"#, #"{"f:a":{".":{},"f:b":{}}}"#,
            #"{"f:l":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}"#,
            #"{"f:s":{"v:\"fra\"":{},"v:1":{},"v:true":{},"v:null":{}}}"#, #"{"f:l":{"i:0":{},"i:10":{}}}"#,
            #"{"f:a.b/c":{},"f:ä":{}}"#,
        ]
    )
    func roundTrip(_ text: String) throws {
        let read = try set(text)
        #expect(try FieldSet(fieldsV1: read.fieldsV1) == read)
        #expect(read.fieldsV1 == (try JSONValue(parsing: text)))
    }

    @Test("fieldsV1 is written in the order f, k, v, i, each by content")
    func order() throws {
        let text = #"{"i:1":{},"v:10":{},"v:2":{},"k:{\"b\":1}":{},"k:{\"a\":1}":{},"f:b":{},"f:a":{},"i:0":{}}"#
        let keys = try set(text).fieldsV1.object?.keys
        #expect(keys == ["f:a", "f:b", #"k:{"a":1}"#, #"k:{"b":1}"#, "v:2", "v:10", "i:0", "i:1"])
    }

    @Test("keys are written sorted, whatever their order was")
    func keyOrder() throws {
        let element = PathElement.key([(name: "protocol", value: "TCP"), (name: "port", value: 80)])
        #expect(element.fieldsV1Key == #"k:{"port":80,"protocol":"TCP"}"#)
        #expect(element.description == #"[port=80,protocol="TCP"]"#)
    }

    @Test(
        "what is no FieldsV1 is refused",
        arguments: [
            "[]", #"{"a":{}}"#, #"{"f:a":1}"#, #"{"k:{}":{}}"#, #"{"k:x":{}}"#, #"{"v:":{}}"#, #"{"i:-1":{}}"#,
            #"{"i:x":{}}"#, #"{"":{}}"#,
        ]
    )
    func malformed(_ text: String) { #expect(throws: MergeError.self) { try set(text) } }

    @Test("differences are by exact path; trees go with all below")
    func differences() throws {
        let all = try set(#"{"f:a":{".":{},"f:b":{},"f:c":{}}}"#)
        let a = try set(#"{"f:a":{}}"#)
        #expect(all.subtracting(a) == (try set(#"{"f:a":{"f:b":{},"f:c":{}}}"#)))
        #expect(all.subtractingTrees(a) == FieldSet())
        #expect(all.intersection(a) == a)
        #expect(all.below(.field("a")) == (try set(#"{"f:b":{},"f:c":{}}"#)))
    }

    @Test("the algebra of sets holds for random sets", arguments: 0..<200)
    func algebra(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let (a, b, c) = (random.fieldSet(), random.fieldSet(), random.fieldSet())
        #expect(a.union(b) == b.union(a))
        #expect(a.intersection(b) == b.intersection(a))
        #expect(a.union(b).union(c) == a.union(b.union(c)))
        #expect(a.subtracting(b).union(a.intersection(b)) == a)
        #expect(a.subtracting(b).intersection(b).isEmpty)
        #expect(a.subtracting(b.union(c)) == a.subtracting(b).subtracting(c))
        #expect(FieldSet(a.paths) == a)
        #expect((try? FieldSet(fieldsV1: a.fieldsV1)) == a)
    }
}
