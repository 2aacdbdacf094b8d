// JSONPathTests: paths into JSON values, and what they find.

import MeridianModel
import Testing

@Suite("Field paths")
struct JSONPathTests {
    @Test("a path is printed as Kubernetes prints it")
    func description() {
        #expect(FieldPath.root.description == "")
        #expect(FieldPath("spec", "regions", "preferred")[0].description == "spec.regions.preferred[0]")
        #expect(FieldPath("env")["a.b"]["_c1"].description == #"env["a.b"]._c1"#)
        #expect(FieldPath("1").description == #"["1"]"#)
        #expect(FieldPath.root[2]["x"].description == "[2].x")
    }

    @Test("a path finds its value, or nothing")
    func lookup() {
        let value: JSONValue = ["spec": ["regions": ["fra", "ams"]]]
        #expect(value[FieldPath("spec", "regions")[1]] == "ams")
        #expect(value[FieldPath.root] == value)
        #expect(value[FieldPath("spec", "regions")[2]] == nil)
        #expect(value[FieldPath("spec", "none", "deeper")] == nil)
        #expect(value[FieldPath("spec")[0]] == nil)
    }

    @Test("a path that leads nowhere is located at its nearest ancestor")
    func ancestors() throws {
        let text = Array("{\"spec\": {\"list\": [1]}}".utf8)
        let tree = try #require(LocatedValue.jsonDocuments(in: text).documents.first).locations
        #expect(tree.location(of: FieldPath("spec", "missing", "deeper")).description == "1:10")
        #expect(tree.location(of: FieldPath("spec", "missing"), key: true).description == "1:2")
        #expect(tree.location(of: FieldPath("spec", "list")[7]).description == "1:19")
        #expect(tree.location(of: FieldPath("none")).description == "1:1")
    }
}
