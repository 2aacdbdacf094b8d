// NormalizingTests: diffs show what a person changed, all of it and nothing else.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Differences between two states of an object")
struct NormalizingTests {
    private func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

    @Test("a changed default is shown with its old value")
    func golden() throws {
        let kind = try #require(Kind.named("region"))
        let live = try json(#"{"apiVersion":"meridian.dev/v1","kind":"Region","metadata":{"name":"fra"},"spec":{}}"#)
        let wanted = try json(
            #"{"apiVersion":"meridian.dev/v1","kind":"Region","metadata":{"name":"fra"},"spec":{"aliases":["fra"]}}"#
        )
        #expect(
            objectDiff(live: live, wanted: wanted, kind: kind, name: "Region/fra") == """
                --- live/Region/fra
                +++ applied/Region/fra
                @@ -3,6 +3,7 @@
                 metadata:
                   name: fra
                 spec:
                -  aliases: []
                +  aliases:
                +  - fra
                   fallback: []
                   nodes: []

                """
        )
    }

    @Test("what the server and the verbs write is no difference")
    func noise() throws {
        let kind = try #require(Kind.named("app"))
        let config = try json(
            #"{"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a"},"spec":{"source":{"path":"."}}}"#
        )
        let live = try json(
            """
            {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a","namespace":"default","uid":"u",
            "resourceVersion":"7","generation":4,"creationTimestamp":"2026-01-01T00:00:00Z",
            "annotations":{"meridian.dev/restart":"2"},"finalizers":["meridian.dev/drain"],"managedFields":[{"a":1}]},
            "spec":{"source":{"path":"."},"resources":{"memory":"268435456"}},"status":{"url":"http://x"}}
            """
        )
        #expect(objectDiff(live: live, wanted: config, kind: kind, name: "a") == "")
    }

    @Test("plain secrets are never shown")
    func secrets() throws {
        let kind = try #require(Kind.named("secret"))
        let config = try json(
            #"{"apiVersion":"meridian.dev/v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"K":"hunter2"}}"#
        )
        let text = objectDiff(live: nil, wanted: config, kind: kind, name: "s")
        #expect(text.contains("K: (hidden)") && !text.contains("hunter2"))
    }
}

@Suite("Every field of every declared kind, in diffs")
struct FieldWalkTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)

    /// Small objects that together have a place for every field.
    private static let bases: [String] = [
        #"{"kind":"App","metadata":{"name":"x","namespace":"default"},"spec":{"source":{"path":"."}}}"#,
        #"{"kind":"App","metadata":{"name":"x","namespace":"default"},"spec":{"source":{"git":{"url":"file:///r"}}}}"#,
        #"{"kind":"App","metadata":{"name":"x","namespace":"default"},"spec":{"source":{"executable":"\#(digest)"}}}"#,
        #"{"kind":"Region","metadata":{"name":"x"},"spec":{"location":{"latitude":1.0,"longitude":2.0}}}"#,
        split(mirroring: #"{"app":"m","weight":1}"#), split(mirroring: #"{"revision":"latest","weight":1}"#),
        split(mirroring: #"{"address":"127.0.0.1:1","weight":1}"#),
        #"{"kind":"SyscallAllowlist","metadata":{"name":"x"},"spec":{}}"#,
        #"{"kind":"EdgePolicy","metadata":{"name":"x"},"spec":{"clientRate":{"requests":5},"hostRate":{"requests":5}}}"#,
        #"{"kind":"Secret","metadata":{"name":"x","namespace":"default"}}"#,
    ]

    private static func split(mirroring mirror: String) -> String {
        """
        {"kind":"TrafficSplit","metadata":{"name":"x","namespace":"default"},"spec":{"app":"x","hosts":["x.localhost"],
        "backends":[{"revision":"latest","weight":100}],"sticky":{},"tls":{},"mirror":\(mirror)}}
        """
    }

    /// Metadata that the server writes: no difference, whatever it is.
    private static let serverFields: Set = [
        "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "managedFields",
    ]

    /// A leaf of a kind's schema: where it is, its schema, and its default.
    private struct Leaf {
        let path: FieldPath
        let keywords: JSONObject
    }

    private func leaves(_ schema: JSONValue, _ document: JSONValue, at path: FieldPath) -> [Leaf] {
        var schema = schema
        let fallback = schema["default"]
        if let name = schema["$ref"]?.string?.split(separator: "/").last {
            guard let target = document["$defs"]?[String(name)] else { return [] }
            schema = target
        }
        guard let properties = schema["properties"]?.object else {
            var keywords = schema.object ?? JSONObject()
            keywords["default"] = fallback
            return [Leaf(path: path, keywords: keywords)]
        }
        return properties.members.flatMap { leaves($0.value, document, at: path[$0.key]) }
    }

    private func setting(_ value: JSONValue, at path: ArraySlice<FieldPath.Element>, in object: JSONValue) -> JSONValue
    {
        guard case .field(let key)? = path.first else { return value }
        var copy = object.object ?? JSONObject()
        copy[key] = setting(value, at: path.dropFirst(), in: copy[key] ?? [:])
        return .object(copy)
    }

    private func candidates(_ keywords: JSONObject) -> [JSONValue] {
        let texts: [JSONValue] = [
            "other", "2s", "32Mi", "2", .string("sha256:" + String(repeating: "b", count: 64)), "/other", "getpid",
            "other.localhost", "net", "kill", "127.0.0.1:2", "2Ki", "10.0.0.0/8",
        ]
        switch keywords["type"]?.string {
        case "boolean": return [true, false]
        case "integer": return [2, 3, 50, 500]
        case "number": return [3.5]
        case "string": return (keywords["enum"]?.array ?? []) + texts
        case "array":
            return texts.map { [$0] } + [
                [["revision": "latest", "weight": 60], ["app": "y", "weight": 40]],
                [["matches": [["method": "GET"]], "backends": [["revision": "latest", "weight": 100]]]],
                [["apiVersion": "v1", "kind": "K", "name": "n", "uid": "u"]],
            ]
        case "object": return texts.map { ["KEY": $0] } + [["KEY": ["secret": "s", "key": "k"]]]
        default: return []
        }
    }

    private func isValid(_ object: JSONValue, _ kind: Kind) -> Bool {
        var context = DecodingContext()
        return kind.read(object, &context) != nil
    }

    @Test("writing the default of a field makes no difference, changing any field makes one", arguments: bases)
    func walk(_ text: String) throws {
        let parsed = try JSONValue(parsing: text)
        let base = setting("meridian.dev/v1", at: [.field("apiVersion")], in: parsed)
        let kind = try #require(parsed["kind"]?.string.flatMap { Kind.named($0) })
        #expect(isValid(base, kind), "the base of \(kind.name) is valid")
        let document = JSONValue.object(kind.schema())
        for leaf in leaves(document, document, at: FieldPath()) where !isEnvelope(leaf) {
            if let fallback = leaf.keywords["default"], base[leaf.path] == nil {
                let explicit = setting(fallback, at: leaf.path.elements[...], in: base)
                if isValid(explicit, kind) {
                    #expect(objectDiff(live: base, wanted: explicit, kind: kind, name: "x") == "", "\(leaf.path)")
                }
            }
            let changed = candidates(leaf.keywords).lazy.map { setting($0, at: leaf.path.elements[...], in: base) }
                .filter { isValid($0, kind) && explicit($0, kind) != explicit(base, kind) }.first
            guard let changed else {
                #expect(Self.exclusive.contains(leaf.path.description), "no valid value was found for \(leaf.path)")
                continue
            }
            let text = objectDiff(live: base, wanted: changed, kind: kind, name: "x")
            #expect(text.isEmpty == Self.isServers(leaf.path), "\(leaf.path):\n\(text)")
        }
        #expect(objectDiff(live: base, wanted: normalized(base, kind: kind), kind: kind, name: "x") == "")
    }

    private func explicit(_ object: JSONValue, _ kind: Kind) -> JSONValue? {
        var context = DecodingContext()
        return kind.read(object, &context)?.encoded(explicit: true)
    }

    private func isEnvelope(_ leaf: Leaf) -> Bool {
        guard case .field(let first)? = leaf.path.elements.first else { return true }
        return ["apiVersion", "kind"].contains(first)
    }

    private static func isServers(_ path: FieldPath) -> Bool {
        let text = path.description
        return text.hasPrefix("status") || serverFields.contains { text == "metadata.\($0)" }
    }

    /// Fields that not every base can change on its own.
    ///
    /// Another of the same choice is set, or a time has no candidate. Other bases reach all but the times.
    private static let exclusive: Set = [
        "spec.source.path", "spec.source.git.url", "spec.source.git.secret", "spec.source.git.ref",
        "spec.source.git.path",
        "spec.source.executable", "metadata.creationTimestamp", "metadata.deletionTimestamp",
        "status.conditions", "spec.build.command", "spec.mirror.app", "spec.mirror.revision", "spec.mirror.address",
    ]
}
