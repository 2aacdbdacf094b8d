// ActionTests: rollback, restart, rebuild, plan, logs, blobs, status.
import Glibc
import MeridianAPIClient
import MeridianAPIServer
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@Suite("Verbs on apps")
struct ActionTests {
    /// Puts an app with revisions into the store; those in `ready` are ready, `serving` serves.
    private static func prepare(_ server: TestServer, revisions: Int, ready: Set<Int>, serving: Int?) async throws {
        _ = try await server.client.apply(.app("a"), .app("a"))
        for number in stride(from: 1, through: revisions, by: 1) {
            let name = RevisionName(app: "a", number: number).description
            var revision = Revision(metadata: Metadata(name: name, namespace: "default"), spec: RevisionSpec())
            revision.spec.app = "a"
            revision.status.conditions = [Condition("Ready", ready.contains(number) ? .isTrue : .isFalse, "Test")]
            try await server.store.commit([.put(revision.key, revision.encoded(), .absent)])
        }
        guard let serving, let record = try await server.store.get(.app("a")) else { return }
        var value = record.value.object ?? JSONObject()
        value["status"] = ["servingRevision": .string(RevisionName(app: "a", number: serving).description)]
        try await server.store.commit([.put(record.key, .object(value), .any)])
    }

    private static func pin(_ app: JSONValue) -> [String?] {
        let annotations = app["metadata"]?["annotations"]
        return [annotations?["meridian.dev/rollback-to"]?.string, annotations?["meridian.dev/rollback-from"]?.string]
    }

    @Test("rollback chooses the newest ready revision before the serving one, and remembers the newest")
    func rollback() async throws {
        try await TestServer.run { server in
            try await Self.prepare(server, revisions: 4, ready: [1, 2, 4], serving: 4)
            #expect(Self.pin(try await server.client.rollback(.app("a"))) == ["a-00002", "a-00004"])
            #expect(Self.pin(try await server.client.rollback(.app("a"), to: "a-00001")) == ["a-00001", "a-00004"])
            #expect(Self.pin(try await server.client.rollback(.app("a"), to: "a-00004")) == [nil, nil])
            let applied = try await server.client.apply(.app("a"), .app("a"))
            #expect(applied.change == .unchanged)
        }
    }

    @Test("an impossible rollback says why and lists the ready revisions")
    func impossible() async throws {
        try await TestServer.run { server in
            try await Self.prepare(server, revisions: 3, ready: [2], serving: 2)
            var failure = await refusal { _ = try await server.client.rollback(.app("a")) }
            #expect(
                failure?.message
                    == "cannot roll back apps.meridian.dev \"a\": no ready revision is older than a-00002, which serves. Ready revisions: a-00002"
            )
            failure = await refusal { _ = try await server.client.rollback(.app("a"), to: "a-00003") }
            #expect(failure?.httpStatus == 422 && failure?.message.contains("a-00003 is not ready") == true)
            failure = await refusal { _ = try await server.client.rollback(.app("a"), to: "b-00001") }
            #expect(failure?.message.contains("there is no revision \"b-00001\" of it") == true)
            failure = await refusal { _ = try await server.client.rollback(.app("zzz")) }
            #expect(failure?.code == .notFound)
        }
    }

    @Test("restart and rebuild raise their numbers")
    func numbers() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            _ = try await server.client.restart(.app("a"))
            _ = try await server.client.restart(.app("a"))
            let app = try await server.client.rebuild(.app("a"))
            #expect(app["metadata"]?["annotations"] == ["meridian.dev/restart": "2", "meridian.dev/rebuild": "1"])
            #expect(app.generation == 1)
        }
    }

    @Test("an app's syscalls are learned as the settings say; what cannot be is refused with words")
    func learn() async throws {
        try await TestServer.run { server in
            for name in ["a", "unbuilt"] { _ = try await server.client.apply(.app(name), .app(name)) }
            var settings = LearnSettings()
            settings.duration = .seconds(9)
            settings.paths = ["/x"]
            let lesson = try await server.client.learn(.app("a"), settings)
            #expect(lesson["revision"]?.string == "default/a-00001")
            #expect(lesson["elapsed"]?.string == "9s")
            #expect(lesson["requests"]?.array?.first?["path"]?.string == "/x")
            var failure = await refusal { _ = try await server.client.learn(.app("zzz"), settings) }
            #expect(failure?.code == .notFound)
            failure = await refusal { _ = try await server.client.learn(.app("unbuilt"), settings) }
            #expect(failure?.message.contains("no built revision") == true)
            settings.paths = ["x"]
            failure = await refusal { _ = try await server.client.learn(.app("a"), settings) }
            #expect(failure?.httpStatus == 400 && failure?.message.contains("begin with /") == true)
        }
    }

    @Test("a plan gets complete objects, and only those that differ")
    func plan() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("same"), .app("same"))
            _ = try await server.client.apply(.app("changed"), .app("changed"))
            let plan = try await server.client.plan([.app("same"), .app("changed", ["args": ["x"]]), .app("new")])
            #expect(plan["steps"]?.array?.count == 2)
            let overlay = server.backends.overlays.withLock { $0.last ?? [] }
            #expect(overlay.map(\.name) == ["changed", "new"])
            #expect(overlay.map(\.generation) == [2, 1])
            #expect(overlay[0]["metadata"]?["namespace"] == "default")
            #expect(try await server.client.getIfPresent(.app("new")) == nil)
            let refused = await refusal { _ = try await server.client.plan([.app("x", ["nonsense": 1])]) }
            #expect(refused?.code == .invalid)
        }
    }

    @Test("logs stream as lines, with what was asked for")
    func logs() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            var lines: [String] = []
            for try await line in try await server.client.logs(LogRequest(app: .app("a"))) { lines.append(line) }
            #expect(lines == (1...3).map { "2026-01-01T00:00:00Z r line \($0)" })
            let wanted = LogRequest(app: .app("a"), revision: "a-00001", tailLines: 2, follows: true, isBuild: true)
            for try await line in try await server.client.logs(wanted) where line.hasSuffix("2") { break }
            #expect(server.backends.logRequests.withLock { $0.last } == wanted)
            var failure = await refusal { _ = try await server.client.logs(LogRequest(app: .app("zzz"))) }
            #expect(failure?.code == .notFound)
            failure = await refusal { _ = try await server.client.logs(LogRequest(app: .app("a"), revision: "gone")) }
            #expect(failure?.message == "there is no revision \"gone\"")
        }
    }

    @Test("a log that is followed ends on the server when the client goes", .timeLimit(.minutes(1)))
    func clientGoes() async throws {
        try await TestServer.run { server in
            _ = try await server.client.apply(.app("a"), .app("a"))
            let followed = LogRequest(app: .app("a"), tailLines: 1, follows: true)
            for try await _ in try await server.client.logs(followed) { break }
            #expect(await server.backends.endedLogs.first { true } != nil)
        }
    }

    @Test("version and status answer")
    func summaries() async throws {
        try await TestServer.run { server in
            let version = try await server.client.version()
            #expect(version["gitVersion"] == "v1.37.0+meridian.test")
            let status = try await server.client.status()
            #expect(status == ["apps": 1])
        }
    }
}

@Suite("Uploading blobs")
struct BlobTests {
    /// A file of `count` bytes that is removed afterwards.
    private static func withFile(of count: Int, _ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/meridian-blob-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(file >= 0 && ftruncate(file, count) == 0)
        close(file)
        defer { unlink(path) }
        try await body(path)
    }

    private static func digest(_ letter: String) throws -> Digest {
        try #require(Digest(hex: String(repeating: letter, count: 64)))
    }

    @Test("a file is streamed once, and not again where it is there")
    func upload() async throws {
        try await TestServer.run { server in
            let digest = try Self.digest("a")
            try await Self.withFile(of: 20 << 20) { path in
                let first = try await server.client.upload(digest, file: path)
                let second = try await server.client.upload(digest, file: path)
                #expect(first && !second)
            }
            #expect(server.backends.blobs.withLock { $0[digest] } == 20 << 20)
            try await Self.withFile(of: 0) { path in
                let wasSent = try await server.client.upload(try Self.digest("b"), file: path)
                #expect(wasSent)
            }
        }
    }

    @Test("too large, wrong and missing files are refused with words")
    func refused() async throws {
        try await TestServer.run { server in
            let digest = try Self.digest("a")
            try await Self.withFile(of: (100 << 20) + 1) { path in
                let failure = await refusal { _ = try await server.client.upload(digest, file: path) }
                #expect(failure?.httpStatus == 413, "\(String(describing: failure))")
            }
            try await Self.withFile(of: 13) { path in
                let failure = await refusal { _ = try await server.client.upload(digest, file: path) }
                #expect(failure?.httpStatus == 422 && failure?.message == "the bytes have another digest")
            }
            let failure = await refusal { _ = try await server.client.upload(digest, file: "/nowhere/at/all") }
            #expect(failure?.code == .local)
        }
    }
}
