// AuditTests: every write and every refused one leaves an entry that says who, what and when, and no secret value.
import MeridianAPIClient
import MeridianAPIServer
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@Suite("Audit of writes")
struct AuditTests {
    private static func entries(_ server: TestServer) -> [JSONValue] { server.audit.entries.withLock { $0 } }

    @Test("an apply, its repetition and a deletion say who did what to which object, and what changed")
    func writes() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            _ = try await server.client.apply(.app("a"), .app("a"))
            _ = try await server.client.delete(.app("a"))
            let entries = Self.entries(server)
            #expect(entries.map { $0["verb"]?.string } == ["patch", "patch", "delete"])
            let first = try #require(entries.first)
            #expect(first["user"]?["username"] == "meridian:local")
            #expect(first["sourceIPs"] == ["127.0.0.1"])
            #expect(
                first["objectRef"] == [
                    "resource": "apps", "namespace": "default", "name": "a", "apiGroup": "meridian.dev",
                    "apiVersion": "v1",
                ]
            )
            #expect(first["annotations"]?["meridian.dev/field-manager"] == "meridian")
            #expect(first["annotations"]?["meridian.dev/diff"]?.string?.hasPrefix("default/a=sha256:") == true)
            #expect(Timestamp(first["requestReceivedTimestamp"]?.string ?? "") != nil)
            // What changes nothing is a write all the same, with nothing to show for it.
            #expect(entries[1]["annotations"]?["meridian.dev/diff"] == nil)
            #expect(entries[1]["responseStatus"]?["code"] == 200)
            #expect(entries[2]["annotations"]?["meridian.dev/objects"] == "1")
        }
    }

    @Test("each change has a digest of its own")
    func digest() async throws {
        try await TestServer.run { server in
            for (name, greeting) in [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x"), ("a", "y")] {
                let app = JSONValue.app(name, ["env": ["GREETING": .string(greeting)]])
                _ = try await server.client.apply(app, .app(name))
            }
            let digests = Self.entries(server).map { $0["annotations"]?["meridian.dev/diff"]?.string }
            // Times and generations are of what is stored, so that each of these writes is another one.
            #expect(Set(digests).count == 5)
            #expect(!digests.contains(nil))
        }
    }

    @Test("reads, dry runs and questions leave none")
    func reads() async throws {
        try await TestServer.run { server in
            _ = try await server.client.getIfPresent(.app("a"))
            _ = try await server.client.apply(.app("a"), .app("a"), isDryRun: true)
            #expect(Self.entries(server).isEmpty)
        }
    }

    @Test("a write that is refused leaves one with the code")
    func refused() async throws {
        try await TestServer.run { server in
            let missing = ObjectKey.app("gone")
            await #expect(throws: APIClientError.self) { _ = try await server.client.delete(missing) }
            let broken: JSONValue = [
                "apiVersion": "meridian.dev/v1", "kind": "App", "metadata": ["name": "b"], "spec": ["scaling": 3],
            ]
            await #expect(throws: APIClientError.self) { _ = try await server.client.apply(broken, .app("b")) }
            let entries = Self.entries(server)
            #expect(entries.map { $0["responseStatus"]?["code"]?.integer } == [404, 422])
            #expect(entries.allSatisfy { $0["annotations"]?["meridian.dev/diff"] == nil })
        }
    }

    @Test("no value of a Secret is in an entry")
    func secrets() async throws {
        try await TestServer.run { server in
            let secret: JSONValue = [
                "apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "s"],
                "stringData": ["PASSWORD": "hunter2-hunter2"],
            ]
            _ = try await server.client.apply(secret, ObjectKey(kind: "Secret", namespace: "default", name: "s"))
            let text = Self.entries(server).map { $0.text() }.joined()
            #expect(text.contains("\"resource\":\"secrets\""))
            #expect(!text.contains("hunter2"))
        }
    }

    @Test("a question to the log carries every filter, is none of the log's entries, and is refused where it is none")
    func reading() async throws {
        try await TestServer.run { server in
            let query = AuditQuery(
                user: "ana",
                resource: "apps",
                namespace: "shop",
                name: "a b",
                since: Timestamp("2026-01-01T00:00:00Z"),
                limit: 7
            )
            let found = try await server.client.audit(query)
            #expect(found == [["auditID": "1"]])
            #expect(server.backends.auditQueries.withLock { $0 } == [query])
            #expect(Self.entries(server).isEmpty)
            let tooMany = await #expect(throws: APIClientError.self) {
                try await server.client.audit(AuditQuery(limit: AuditQuery.limitMax + 1))
            }
            #expect(tooMany?.httpStatus == 400)
        }
    }

    @Test("the platform's own writes for a GitSource are told too")
    func gitOps() async throws {
        try await TestServer.run { server in
            let writer = ObjectWriter(
                store: server.store,
                sealing: FakeSealing(),
                audit: server.audit,
                clock: WallClock(),
                random: SystemRandom()
            )
            _ = try await writer.apply(.app("a"), manager: "gitsource/shop", force: false, isDryRun: false)
            _ = try await writer.apply(.app("b"), manager: "gitsource/shop", force: false, isDryRun: true)
            let entries = Self.entries(server)
            #expect(entries.map { $0["user"]?["username"] } == ["system:gitsource/shop"])
            #expect(entries.first?["objectRef"]?["name"] == "a")
        }
    }
}
