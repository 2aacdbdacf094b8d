// FormTests: the forms that objects are answered in, bodies in protobuf, and what watches share.
import Logging
import MeridianModel
import MeridianPorts
import MeridianStore
import NIOCore
import Synchronization
import Testing

@testable import MeridianAPIServer

@Suite("Forms of answers and bodies")
struct FormTests {
    @Test(
        "the first form of the Accept header that is served is taken",
        arguments: [
            (nil, AnswerForm.whole), ("*/*", .whole), ("application/json", .whole),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", .table(.metadata)),
            ("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", .whole),
            (
                "application/vnd.kubernetes.protobuf, application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                .metadata
            ),
        ] as [(String?, AnswerForm)]
    )
    func accept(_ header: String?, _ form: AnswerForm) throws {
        #expect(try AnswerForm(accept: header, try QueryParameters(nil)) == form)
    }

    @Test("what cannot be answered is 406")
    func notAcceptable() throws {
        for header in ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Table;v=v9;g=x"] {
            let failure = #expect(throws: APIFailure.self) {
                try AnswerForm(accept: header, try QueryParameters(nil))
            }
            #expect(failure?.code == 406)
        }
    }

    @Test("a Secret in Kubernetes' protobuf envelope is read; cut and changed bytes are refused, never more")
    func protobuf() throws {
        var raw = ProtobufWriter()
        raw.message(1) { metadata in
            metadata.text(1, "db")
            metadata.message(11) { label in
                label.text(1, "a")
                label.text(2, "b")
            }
        }
        raw.message(2) { entry in
            entry.text(1, "KEY")
            entry.text(2, "value")
        }
        var envelope = ProtobufWriter()
        envelope.message(1) { types in
            types.text(1, "v1")
            types.text(2, "Secret")
        }
        let content = raw.bytes
        envelope.message(2) { $0.append(content) }
        let bytes = Array("k8s\0".utf8) + envelope.bytes
        let expected: JSONValue = [
            "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "db", "labels": ["a": "b"]],
            "data": ["KEY": "dmFsdWU="],
        ]
        #expect(try protobufBody(bytes) == expected)
        for length in 0..<bytes.count { _ = try? protobufBody(Array(bytes.prefix(length))) }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0xFF
            _ = try? protobufBody(changed)
        }
    }

    @Test("base64 is read back, and refused where it is none", arguments: [0, 1, 2, 3, 4, 255])
    func base64(_ count: Int) {
        let bytes = (0..<count).map { UInt8($0) }
        #expect(base64Bytes(base64Text(bytes)) == bytes)
        #expect(base64Bytes("a") == nil && base64Bytes("????") == nil)
    }

    @Test("a core Secret shows fingerprints, and they stand for the stored values when they come back")
    func secrets() throws {
        let stored: JSONValue = ["apiVersion": "meridian.dev/v1", "kind": "Secret", "sealed": ["A": "sealed:abc123"]]
        let shown = ObjectView.coreSecret.shown(stored)
        #expect(shown["data"]?["A"]?.string.flatMap(base64Bytes) == Array("sealed:abc123".utf8))
        let back = try ObjectView.coreSecret.accepted(shown)
        #expect(back["sealed"] == ["A": "sealed:abc123"] && back["stringData"] == nil)
        let plain: JSONValue = ["apiVersion": "v1", "data": ["A": "aGk="], "stringData": ["B": "x"]]
        #expect(try ObjectView.coreSecret.accepted(plain)["stringData"] == ["A": "hi", "B": "x"])
        #expect(throws: APIFailure.self) { try ObjectView.coreSecret.accepted(["data": ["A": "/w=="]]) }
    }

    @Test("strategic merge patches add to finalizers and replace other lists")
    func strategic() throws {
        let live: JSONValue = ["metadata": ["finalizers": ["a"], "labels": ["x": "1"]], "items": [1, 2]]
        let patch: JSONValue = [
            "metadata": [
                "finalizers": ["b"], "labels": ["x": nil, "y": "2"], "$setElementOrder/finalizers": ["b", "a"],
            ],
            "items": [3],
        ]
        let merged = try strategicMerged(live.object ?? JSONObject(), patch.object ?? JSONObject())
        let expected: JSONValue = ["metadata": ["finalizers": ["a", "b"], "labels": ["y": "2"]], "items": [3]]
        #expect(JSONValue.object(merged) == expected)
    }
}

@Suite("What watches share")
struct WatchDeskTests {
    private static func desk(_ store: MemoryStore) -> WatchDesk {
        WatchDesk(store: store, clock: WallClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a thousand watches of one form encode an event once")
    func once() {
        let desk = Self.desk(MemoryStore(clock: WallClock()))
        let key = ObjectKey(kind: "Region", name: "fra")
        let id = WatchDesk.LineID(revision: 5, key: key, type: "ADDED", group: "meridian.dev", form: .whole)
        let count = Mutex(0)
        for _ in 0..<1000 {
            _ = desk.line(id) {
                count.withLock { $0 += 1 }
                return ByteBuffer(string: "x")
            }
        }
        #expect(count.withLock { $0 } == 1)
    }

    @Test("old lines are forgotten, so that memory is bounded")
    func bounded() {
        let desk = Self.desk(MemoryStore(clock: WallClock()))
        let key = ObjectKey(kind: "Region", name: "fra")
        let count = Mutex(0)
        func ask(_ revision: Int) {
            let id = WatchDesk.LineID(revision: Int64(revision), key: key, type: "ADDED", group: "", form: .whole)
            _ = desk.line(id) {
                count.withLock { $0 += 1 }
                return ByteBuffer(string: "line")
            }
        }
        for revision in 0..<(3 * WatchDesk.linesMax) { ask(revision) }
        let before = count.withLock { $0 }
        ask(0)
        ask(3 * WatchDesk.linesMax - 1)
        #expect(count.withLock { $0 } == before + 1)
    }

    @Test("a quiet watch learns of later revisions, one that is behind does not", .timeLimit(.minutes(1)))
    func progress() async throws {
        let store = MemoryStore(clock: WallClock())
        let desk = Self.desk(store)
        try await store.commit([.put(ObjectKey(kind: "Region", name: "a"), ["v": 0], .any)])
        let task = Task { await desk.run() }
        defer { task.cancel() }
        let app = ObjectKey(kind: "App", namespace: "default", name: "x")
        let secret = ObjectKey(kind: "Secret", namespace: "default", name: "s")
        // It follows from the revision that it finds; writes move it on until it is a few of them past that.
        var revision: Int64 = 0
        repeat {
            revision = try await store.commit([.put(app, ["v": .integer(revision)], .any)])
            await Task.yield()
        } while desk.revision(passedBy: .after(revision - 5), kind: "Secret") == nil
        #expect(desk.revision(passedBy: .after(revision - 5), kind: "App") == nil)
        let place = revision
        let written = try await store.commit([.put(secret, ["v": 1], .any)])
        for value in 0..<3 { revision = try await store.commit([.put(app, ["w": .integer(Int64(value))], .any)]) }
        while desk.revision(passedBy: .after(written), kind: "Secret") == nil { await Task.yield() }
        #expect(desk.revision(passedBy: .after(place), kind: "Secret") == nil)
    }
}
