// ApplyingTests: what stays and what goes when an object is applied or replaced.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Applying a manifest over a live object")
struct ApplyingTests {
    private let app = Kind.named("app")

    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test("without a live object the manifest is the object, but for status and Meridian's own annotations")
    func creation() throws {
        let kind = try #require(app)
        let config = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","labels":{"x":"1"},
            "annotations":{"meridian.dev/restart":"7","note":"n"},"finalizers":["meridian.dev/drain","mine.example/f"]},
            "spec":{"source":{"path":"."}},"status":{"url":"x"}}
            """
        )
        let expected = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","labels":{"x":"1"},
            "annotations":{"note":"n"},"finalizers":["mine.example/f"]},"spec":{"source":{"path":"."}}}
            """
        )
        #expect(applied(live: nil, config: config, kind: kind) == expected)
    }

    @Test("content, labels and annotations are replaced; status, identity and own annotations stay")
    func replacement() throws {
        let kind = try #require(app)
        let live = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","uid":"u","generation":3,
            "labels":{"old":"1"},"annotations":{"old":"1","meridian.dev/rollback-to":"a-00001"},
            "finalizers":["meridian.dev/drain"]},"spec":{"source":{"path":"."},"args":["x"]},"status":{"url":"u"}}
            """
        )
        let config = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","labels":{"new":"2"}},
            "spec":{"source":{"path":"./b"}}}
            """
        )
        let expected = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","uid":"u","generation":3,
            "labels":{"new":"2"},"annotations":{"meridian.dev/rollback-to":"a-00001"},
            "finalizers":["meridian.dev/drain"]},"spec":{"source":{"path":"./b"}},"status":{"url":"u"}}
            """
        )
        #expect(applied(live: live, config: config, kind: kind) == expected)
    }

    @Test("a PUT sets foreign finalizers and owners, and cannot remove Meridian's own")
    func put() throws {
        let kind = try #require(app)
        let live = try json(
            #"{"metadata":{"name":"a","finalizers":["meridian.dev/drain","x.example/f"]},"spec":{}}"#
        )
        let config = try json(#"{"metadata":{"name":"a","finalizers":["y.example/g"]},"spec":{}}"#)
        let result = replaced(live: live, config: config, kind: kind)
        #expect(result["metadata"]?["finalizers"] == ["y.example/g", "meridian.dev/drain"])
    }

    @Test("kubectl's copy of a manifest is not kept on a Secret, since it holds the plain values")
    func lastApplied() throws {
        let kind = try #require(Kind.named("secret"))
        let name = "kubectl.kubernetes.io/last-applied-configuration"
        let config: JSONValue = [
            "metadata": ["name": "s", "annotations": .object(JSONObject([.init(key: name, value: "{}")]))]
        ]
        #expect(applied(live: nil, config: config, kind: kind)["metadata"]?["annotations"] == nil)
    }
}
