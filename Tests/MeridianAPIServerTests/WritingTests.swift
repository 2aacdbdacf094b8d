// WritingTests: what writes do to objects, and what they refuse.
import MeridianAPIClient
import MeridianModel
import MeridianPorts
import Testing

@Suite("Writing objects")
struct WritingTests {
    @Test("apply creates with uid, generation 1 and the drain finalizer; the same again writes nothing")
    func applyTwice() async throws {
        try await TestServer.run { server in
            let first = try await server.client.apply(.app("a"), .app("a"))
            #expect(first.change == .created && first.object.generation == 1)
            #expect(first.object["metadata"]?["uid"]?.string?.count == 36)
            #expect(first.object["metadata"]?["finalizers"] == ["meridian.dev/drain"])
            let revision = try await server.store.snapshot(kinds: nil).revision
            let second = try await server.client.apply(.app("a"), .app("a"))
            #expect(second.change == .unchanged && second.object.version == first.object.version)
            #expect(try await server.store.snapshot(kinds: nil).revision == revision)
        }
    }

    @Test("generation rises with the content only; a new object of the same name has another uid")
    func generation() async throws {
        try await TestServer.run { server in
            let key = ObjectKey(kind: "Region", name: "fra")
            let first = try await server.client.apply(.region("fra"), key).object
            let changed = try await server.client.apply(.region("fra", ["aliases": ["x"]]), key).object
            #expect(changed.generation == 2)
            let labelled = try await server.client.mergePatch(key, ["metadata": ["labels": ["a": "b"]]])
            #expect(labelled.generation == 2 && labelled["metadata"]?["labels"] == ["a": "b"])
            #expect(try await server.client.delete(key))
            let again = try await server.client.apply(.region("fra"), key).object
            #expect(again["metadata"]?["uid"] != first["metadata"]?["uid"] && again.generation == 1)
        }
    }

    @Test("a dry run answers what would be and writes nothing")
    func dryRun() async throws {
        try await TestServer.run { server in
            let would = try await server.client.apply(.app("a"), .app("a"), isDryRun: true)
            #expect(would.change == .created && would.object["metadata"]?["uid"] == nil)
            #expect(try await server.client.getIfPresent(.app("a")) == nil)
            let live = try await server.client.apply(.app("a"), .app("a")).object
            let changed = try await server.client.apply(.app("a", ["args": ["x"]]), .app("a"), isDryRun: true)
            #expect(changed.change == .configured && changed.object.generation == live.generation)
            #expect(changed.object["spec"]?["args"] == ["x"])
            #expect(try await server.client.get(.app("a")) == live)
            #expect(try await server.client.delete(.app("a"), isDryRun: true) == false)
            #expect(try await server.client.get(.app("a")) == live)
        }
    }

    @Test("status in a write is ignored, and own annotations stay as they are")
    func ownFields() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            _ = try await server.client.restart(.app("a"))
            let patched = try await server.client.mergePatch(
                .app("a"),
                ["status": ["url": "x"], "metadata": ["annotations": ["meridian.dev/restart": "9", "n": "1"]]]
            )
            #expect(patched["status"]?["url"] == nil)
            #expect(patched["metadata"]?["annotations"] == ["n": "1", "meridian.dev/restart": "1"])
            let applied = try await server.client.apply(.app("a"), .app("a")).object
            // The note is another manager's, so an apply that does not name it leaves it.
            #expect(applied["metadata"]?["annotations"] == ["n": "1", "meridian.dev/restart": "1"])
        }
    }

    @Test("a PUT needs the stored version")
    func optimisticConcurrency() async throws {
        try await TestServer.run { server in
            let old = try await server.client.apply(.app("a"), .app("a")).object
            _ = try await server.client.apply(.app("a", ["args": ["1"]]), .app("a"))
            var failure = await refusal { _ = try await server.client.replace(old, .app("a")) }
            #expect(failure?.code == .conflict)
            #expect(
                failure?.message
                    == "Operation cannot be fulfilled on apps.meridian.dev \"a\": the object has been modified; please apply your changes to the latest version and try again"
            )
            failure = await refusal { _ = try await server.client.replace(.app("a"), .app("a")) }
            #expect(failure?.code == .invalid && failure?.causes.first?.field == "metadata.resourceVersion")
            let live = try await server.client.get(.app("a"))
            #expect(try await server.client.replace(live, .app("a")).version == live.version)
            failure = await refusal { _ = try await server.client.create(.app("a"), .app("a")) }
            #expect(failure?.reason == "AlreadyExists")
            failure = await refusal { _ = try await server.client.replace(live, .app("b")) }
            #expect(failure?.httpStatus == 400)
        }
    }

    @Test("patches at the same moment are all kept or told of a conflict")
    func concurrentPatches() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            let kept = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let patch: JSONValue = [
                            "metadata": ["labels": .object(JSONObject([.init(key: "l\(number)", value: "1")]))]
                        ]
                        do {
                            _ = try await server.client.mergePatch(.app("a"), patch)
                            return "l\(number)"
                        } catch let error as APIClientError where error.code == .conflict {
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: Set<String>()) { if let key = $1 { $0.insert(key) } }
            }
            let labels = try await server.client.get(.app("a"))["metadata"]?["labels"]?.object?.keys ?? []
            #expect(Set(labels) == kept && !kept.isEmpty)
        }
    }

    @Test("an App waits for its finalizer, then goes; other kinds go at once")
    func deletion() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            #expect(try await server.client.delete(.app("a")) == false)
            let dying = try await server.client.get(.app("a"))
            #expect(dying["metadata"]?["deletionTimestamp"] != nil)
            #expect(try await server.client.delete(.app("a")) == false)
            #expect(try await server.client.get(.app("a")) == dying)
            let refused = await refusal { _ = try await server.client.apply(.app("a"), .app("a")) }
            #expect(refused?.code == .conflict && refused?.message.contains("being deleted") == true)
            let missing = await refusal { _ = try await server.client.delete(.app("b")) }
            #expect(missing?.code == .notFound && missing?.message == "apps.meridian.dev \"b\" not found")
        }
    }

    @Test("an object whose last finalizer went unseen goes with the next deletion")
    func leftOver() async throws {
        try await TestServer.run { server in
            let key = ObjectKey(kind: "Region", name: "fra")
            var region = Region(metadata: Metadata(name: "fra"), spec: RegionSpec())
            region.metadata.deletionTimestamp = Timestamp(milliseconds: 0)
            try await server.store.commit([.put(key, region.encoded(), .absent)])
            #expect(try await server.client.delete(key))
            #expect(try await server.client.getIfPresent(key) == nil)
        }
    }

    @Test("foreign finalizers hold an object, and it goes when a client removes the last")
    func foreignFinalizer() async throws {
        try await TestServer.run { server in
            let key = ObjectKey(kind: "Region", name: "fra")
            var region = JSONValue.region("fra").object ?? JSONObject()
            region["metadata"] = ["name": "fra", "finalizers": ["x.example/f"]]
            _ = try await server.client.apply(.object(region), key)
            #expect(try await server.client.delete(key) == false)
            _ = try await server.client.mergePatch(key, ["metadata": ["finalizers": nil]])
            #expect(try await server.client.getIfPresent(key) == nil)
        }
    }
}

@Suite("Secrets")
struct SecretTests {
    private static let key = ObjectKey(kind: "Secret", namespace: "default", name: "db")

    private static func secret(_ values: JSONValue) -> JSONValue {
        ["apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "db"], "stringData": values]
    }

    @Test("plain values are sealed, never served, and an equal value writes nothing")
    func sealing() async throws {
        try await TestServer.run { server in
            let first = try await server.client.apply(Self.secret(["A": "hunter2", "B": "swordfish"]), Self.key)
            let texts = [
                first.object.text(), try await server.client.get(Self.key).text(),
                try await server.client.list(try #require(Kind.named("secret"))).items.map { $0.text() }.joined(),
                try await server.store.get(Self.key)?.value.text() ?? "hunter2",
            ]
            for text in texts { #expect(!text.contains("hunter2") && !text.contains("swordfish"), "\(text)") }
            #expect(first.object["sealed"]?["A"]?.string?.hasPrefix("sealed:v1:") == false)
            let again = try await server.client.apply(Self.secret(["A": "hunter2", "B": "swordfish"]), Self.key)
            #expect(again.change == .unchanged)
            let changed = try await server.client.apply(Self.secret(["A": "hunter3", "B": "swordfish"]), Self.key)
            #expect(changed.object["sealed"]?["A"] != first.object["sealed"]?["A"])
            #expect(changed.object["sealed"]?["B"] == first.object["sealed"]?["B"] && changed.object.generation == 2)
        }
    }

    @Test("what was served can be sent back; other sealed texts are refused")
    func roundTrip() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(Self.secret(["A": "hunter2"]), Self.key)
            let served = try await server.client.get(Self.key)
            #expect(try await server.client.replace(served, Self.key).version == served.version)
            let added = try await server.client.mergePatch(Self.key, ["stringData": ["C": "new"]])
            #expect(added["sealed"]?.object?.keys == ["A", "C"] && added["stringData"] == nil)
            let refused = await refusal {
                _ = try await server.client.mergePatch(Self.key, ["sealed": ["A": "sealed:0"]])
            }
            #expect(refused?.code == .invalid && refused?.causes.first?.field == "sealed.A")
        }
    }
}

/// The error of a request that must be refused; nil where it was not.
func refusal(_ body: () async throws -> Void) async -> APIClientError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? APIClientError
    }
}
