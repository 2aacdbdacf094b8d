// AuditedStoreTests: which of the platform's own writes are told, and in what words.
import MeridianModel
import MeridianPorts
import MeridianStore
import Synchronization
import Testing

@testable import MeridianAPIServer

@Suite("The platform's own writes in the audit log")
struct AuditedStoreTests {
    private static func object(_ spec: JSONValue, _ status: JSONValue = [:]) -> JSONValue {
        ["metadata": ["name": "x"], "spec": spec, "status": status]
    }

    private let audit = FakeAudit()
    private let store: AuditedStore

    init() {
        let clock = WallClock()
        store = AuditedStore(
            MemoryStore(clock: clock),
            part: "loop",
            audit: audit,
            clock: clock,
            random: SystemRandom()
        )
    }

    /// `create revisions/a-00001`, in order.
    private var told: [String] {
        audit.entries.withLock { entries in
            entries.map { entry in
                let object = entry["objectRef"]
                return
                    "\(entry["verb"]?.string ?? "") \(object?["resource"]?.string ?? "")/\(object?["name"]?.string ?? "")"
            }
        }
    }

    @Test("a revision that is made and removed is told; its status, runners, nodes and events are not")
    func revisions() async throws {
        let revision = ObjectKey(kind: "Revision", namespace: "default", name: "a-00001")
        let made = try await store.commit([.put(revision, Self.object(1), .absent)])
        try await store.commit([.put(revision, Self.object(1, ["ready": true]), .any)])
        for kind in ["Runner", "Event"] {
            try await store.commit([.put(ObjectKey(kind: kind, namespace: "default", name: "r"), 1, .any)])
        }
        try await store.commit([.put(ObjectKey(kind: "Node", name: "local"), 1, .any)])
        try await store.commit([.delete(revision, .any)])
        #expect(told == ["create revisions/a-00001", "delete revisions/a-00001"])
        let first = try #require(audit.entries.withLock { $0.first })
        #expect(first["user"]?["username"] == "system:loop")
        #expect(first["annotations"]?["meridian.dev/revision"]?.string == String(made))
    }

    @Test("of writes that come together each is told by itself, and none that was refused")
    func together() async throws {
        let answers = await store.commitEach([
            [.put(.app("a"), Self.object(1), .absent)], [.put(.app("a"), Self.object(2), .absent)],
            [.put(.app("b"), Self.object(1), .absent)],
        ])
        #expect(answers.map { if case .success = $0 { true } else { false } } == [true, false, true])
        #expect(told == ["create apps/a", "create apps/b"])
        await #expect(throws: StoreError.self) { try await store.commit([.delete(.app("a"), .modRevision(99))]) }
        try await store.commit([.delete(.app("gone"), .any)])
        #expect(told.count == 2)
    }

    @Test("what begins to be deleted is told as deleted, and so is its end")
    func deletion() async throws {
        try await store.commit([.put(.app("a"), Self.object(1), .absent)])
        let ending: JSONValue = ["metadata": ["name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"], "spec": 1]
        try await store.commit([.put(.app("a"), ending, .any)])
        try await store.commit([.delete(.app("a"), .any)])
        #expect(told == ["create apps/a", "delete apps/a", "delete apps/a"])
    }
}
