// JSONPatchTests: RFC 6902 on the public json-patch-tests, and the bounds that keep a patch from filling the memory.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("JSON Patch")
struct JSONPatchTests {
    @Test("gives the results of json-patch-tests", arguments: [("tests.json", 95), ("spec_tests.json", 17)])
    func corpusFiles(_ file: String, _ count: Int) throws {
        guard let cases = corpus("json-patch-tests/\(file)")?.array else { return }
        #expect(cases.count == count)
        for (index, test) in cases.enumerated() {
            guard let patch = test["patch"], let document = test["doc"] else { continue }
            // The parser's part, tested below: of two members of one name a JSON value keeps one.
            if test["error"] == "patch has two 'op' members" { continue }
            let name = Comment(rawValue: "\(file)[\(index)]: \(test["comment"]?.string ?? "")")
            do throws(MergeError) {
                let result = try JSONPatch(patch).applied(to: document)
                #expect(test["error"] == nil, name)
                if let expected = test["expected"] { #expect(result.isSame(as: expected), name) }
            } catch {
                #expect(test["expected"] == nil, "\(name) \(error.message)")
            }
        }
    }

    @Test("a patch with more operations than the bound is refused before any is read")
    func tooMany() {
        let patch = JSONValue.array(Array(repeating: .null, count: JSONPatch.operationsMax + 1))
        #expect(throws: MergeError.self) { try JSONPatch(patch) }
    }

    @Test("an operation with two `op` members is refused by the parser")
    func twoOps() {
        #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: #"[{"op":"add","path":"/baz","value":"qux","op":"move","from":"/foo"}]"#)
        }
    }

    @Test("moves cannot nest a document deeper than parsers take")
    func nesting() throws {
        let round: [JSONValue] = [
            ["op": "move", "from": "/a", "path": "/t"], ["op": "add", "path": "/a", "value": [:]],
            ["op": "move", "from": "/t", "path": "/a/t"],
        ]
        let patch = try JSONPatch(.array(Array(repeating: round, count: 3000).flatMap { $0 }))
        do throws(MergeError) {
            _ = try patch.applied(to: ["a": [:]])
            Issue.record("the document was nested 3000 levels deep")
        } catch {
            #expect(error.code == .tooLarge)
        }
    }

    @Test("copies that double a document end at the bound")
    func doubling() throws {
        let copy: JSONValue = ["op": "copy", "from": "/a", "path": "/a/-"]
        let patch = try JSONPatch(.array(Array(repeating: copy, count: 64)))
        do throws(MergeError) {
            _ = try patch.applied(to: ["a": ["x"]])
            Issue.record("64 doublings were done")
        } catch {
            #expect(error.code == .tooLarge)
        }
    }

    @Test(
        "a failed patch names the place",
        arguments: [
            (#"[{"op":"remove","path":"/b"}]"#, "the path \"/b\" leads nowhere"),
            (#"[{"op":"test","path":"/a","value":2}]"#, "testing \"/a\" failed: the value is another"),
            (#"[{"op":"add","path":"a","value":2}]"#, "the JSON pointer \"a\" must begin with /"),
            (#"[{"op":"jump","path":"/a"}]"#, "operation 0: op must be one of add, remove, replace, move, copy, test"),
            (#"[{"op":"move","from":"/a","path":"/a/b"}]"#, "a value cannot be moved into itself"),
        ]
    )
    func messages(_ patch: String, _ message: String) throws {
        let document = try JSONValue(parsing: patch)
        do throws(MergeError) {
            _ = try JSONPatch(document).applied(to: ["a": 1])
            Issue.record("the patch was applied")
        } catch {
            #expect(error.message == message)
        }
    }

    @Test("a patch that walks through a large array again and again ends at the bound")
    func walking() throws {
        let insert: JSONValue = ["op": "add", "path": "/a/0", "value": 0]
        let patch = try JSONPatch(.array(Array(repeating: insert, count: JSONPatch.operationsMax)))
        do throws(MergeError) {
            _ = try patch.applied(to: ["a": .array(Array(repeating: 0, count: 1_000_000))])
            Issue.record("ten thousand million elements were moved")
        } catch {
            #expect(error.code == .tooLarge)
        }
    }
}
