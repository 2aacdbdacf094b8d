// CollectorTests: what the collector finds to do, and that it does it on a running server.
import MeridianAPIClient
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianAPIServer

@Suite("Collecting what lost its owner or namespace")
struct CollectorTests {
    private static func record(_ key: ObjectKey, _ metadata: JSONValue) -> StoreRecord {
        StoreRecord(key: key, value: ["metadata": metadata], createRevision: 1, modRevision: 1)
    }

    private static func owned(by uid: String, kind: String = "App", blocks: Bool = false) -> JSONValue {
        [
            "uid": "dependent",
            "ownerReferences": [
                [
                    "apiVersion": "meridian.dev/v1", "kind": .string(kind), "name": "o", "uid": .string(uid),
                    "blockOwnerDeletion": .bool(blocks),
                ]
            ],
        ]
    }

    private static let split = ObjectKey(kind: "TrafficSplit", namespace: "default", name: "s")
    private static let app = ObjectKey(kind: "App", namespace: "default", name: "o")

    @Test("an object goes after the last of its owners, and not before")
    func background() {
        var index = CollectorIndex([
            Self.record(Self.app, ["uid": "o1"]), Self.record(Self.split, Self.owned(by: "o1")),
        ])
        #expect(index.takeTasks().isEmpty)
        index.see(Self.app, nil)
        #expect(index.takeTasks() == [.delete(Self.split)])
        index.see(Self.split, nil)
        #expect(index.takeTasks().isEmpty)
    }

    @Test("an owner of a kind that is not stored here is not taken for gone")
    func foreignOwner() {
        var index = CollectorIndex([Self.record(Self.split, Self.owned(by: "x", kind: "Deployment"))])
        #expect(index.takeTasks().isEmpty)
    }

    @Test("an owner that is deleted in the foreground waits for dependents that block it")
    func foreground() {
        let ending: JSONValue = [
            "uid": "o1", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["foregroundDeletion"],
        ]
        let dependent = Self.record(Self.split, Self.owned(by: "o1", blocks: true))
        var index = CollectorIndex([Self.record(Self.app, ending), dependent])
        #expect(index.takeTasks() == [.delete(Self.split)])
        index.see(Self.split, nil)
        #expect(index.takeTasks() == [.removeFinalizer("foregroundDeletion", from: Self.app)])
    }

    @Test("an owner that orphans releases its dependents first")
    func orphan() {
        let ending: JSONValue = ["uid": "o1", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["orphan"]]
        var index = CollectorIndex([Self.record(Self.app, ending), Self.record(Self.split, Self.owned(by: "o1"))])
        #expect(index.takeTasks() == [.release(Self.split, from: "o1")])
        index.see(Self.split, ["metadata": ["uid": "dependent"]])
        #expect(index.takeTasks() == [.removeFinalizer("orphan", from: Self.app)])
    }

    @Test("a namespace goes after what is in it, Events last; what the loop cleans up is waited for")
    func namespace() {
        let place = ObjectKey(kind: "Namespace", name: "default")
        let ending: JSONValue = [
            "uid": "n", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["meridian.dev/contents"],
        ]
        let runner = ObjectKey(kind: "Runner", namespace: "default", name: "r")
        let event = ObjectKey(kind: "Event", namespace: "default", name: "e")
        let records = [place, Self.split, runner, event].map {
            Self.record($0, $0 == place ? ending : ["uid": .string($0.name)])
        }
        var index = CollectorIndex(records)
        #expect(index.takeTasks() == [.delete(Self.split)])
        index.see(Self.split, nil)
        #expect(index.takeTasks().isEmpty)
        index.see(runner, nil)
        #expect(index.takeTasks() == [.delete(event)])
        index.see(event, nil)
        #expect(index.takeTasks() == [.removeFinalizer("meridian.dev/contents", from: place)])
    }

    @Test(
        "on a server: nothing is made in a missing namespace, and a deleted one empties itself",
        .timeLimit(.minutes(1))
    )
    func server() async throws {
        try await TestServer.run { server in
            let place = ObjectKey(kind: "Namespace", name: "shop")
            let key = ObjectKey(kind: "Secret", namespace: "shop", name: "s")
            let secret: JSONValue = [
                "apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "s", "namespace": "shop"],
                "stringData": ["A": "1"],
            ]
            let refused = await refusal { _ = try await server.client.apply(secret, key) }
            #expect(refused?.message == #"namespaces "shop" not found"#)
            try await server.makeNamespace("shop")
            _ = try await server.client.apply(secret, key)
            let kind = try #require(Kind.named("namespace"))
            let watch = try await server.client.watch(kind, after: try await server.client.list(kind).resourceVersion)
            try await server.client.delete(place)
            for try await event in watch where event.change == .deleted { break }
            #expect(try await server.client.getIfPresent(key) == nil)
            let kept = await refusal { try await server.client.delete(ObjectKey(kind: "Namespace", name: "default")) }
            #expect(kept?.message.contains("may not be deleted") == true)
        }
    }
}
