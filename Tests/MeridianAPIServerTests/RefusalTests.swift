// RefusalTests: requests that must not be taken, at the level of HTTP.
import AsyncHTTPClient
import Logging
import MeridianAPIClient
import MeridianAPIServer
import MeridianModel
import MeridianStore
import NIOCore
import NIOHTTP1
import Testing

@Suite("Requests that are refused")
struct RefusalTests {
    private static let apps = "/apis/meridian.dev/v1/namespaces/default/apps"

    /// The status code and Status object of a raw request.
    private static func send(
        _ server: TestServer,
        _ method: HTTPMethod,
        _ path: String,
        _ body: String? = nil,
        type: String = "application/json",
        headers: [(String, String)] = []
    ) async throws -> (code: Int, status: JSONValue) {
        var request = HTTPClientRequest(url: server.url + path)
        request.method = method
        if let body {
            request.headers.add(name: "content-type", value: type)
            request.body = .bytes(ByteBuffer(string: body))
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        let status = bytes.readableBytes == 0 ? .null : try JSONValue(parsing: Array(bytes.readableBytesView))
        if response.status.code >= 400, method != .HEAD {
            #expect(status["kind"] == "Status" && status["status"] == "Failure")
            #expect(status["code"]?.integer == Int64(response.status.code))
        }
        return (Int(response.status.code), status)
    }

    @Test("unknown and duplicate fields are strict decoding errors with their paths")
    func strict() async throws {
        try await TestServer.run { server in
            let object = JSONValue.app("a", ["regoins": []]).text()
            let strict = "\(Self.apps)?fieldValidation=Strict"
            let (code, status) = try await Self.send(server, .POST, strict, object)
            #expect(code == 400)
            #expect(
                status["message"]
                    == "strict decoding error: unknown field \"spec.regoins\": did you mean \"regions\"?"
            )
            let twice = #"{"kind":"App","kind":"App"}"#
            let duplicate = try await Self.send(server, .POST, strict, twice)
            #expect(
                duplicate.code == 400 && duplicate.status["message"]?.string?.hasPrefix("strict decoding error") == true
            )
        }
    }

    @Test("a client that asks for nothing is told of unknown and duplicate fields in Warning headers")
    func warnings() async throws {
        try await TestServer.run { server in
            var request = HTTPClientRequest(url: server.url + Self.apps)
            request.method = .POST
            request.headers.add(name: "content-type", value: "application/json")
            let spec = #"{"source":{"path":"."},"regoins":1,"regoins":2}"#
            let text = #"{"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"a"},"spec":"# + spec + "}"
            request.body = .bytes(ByteBuffer(string: text))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
            #expect(response.status == .created)
            let warnings = response.headers["warning"]
            #expect(
                warnings == [
                    #"299 - "unknown field \"spec.regoins\"""#, #"299 - "duplicate field \"spec.regoins\"""#,
                ]
            )
        }
    }

    @Test("broken rules are 422 with one cause per field")
    func invalid() async throws {
        try await TestServer.run { server in
            let object = JSONValue.app("a", ["requestTimeout": "2 fortnights", "args": "x"]).text()
            let (code, status) = try await Self.send(server, .POST, Self.apps, object)
            #expect(code == 422 && status["reason"] == "Invalid")
            let fields = status["details"]?["causes"]?.array?.compactMap { $0["field"]?.string }
            #expect(fields == ["spec.args", "spec.requestTimeout"])
            #expect(status["message"]?.string?.hasPrefix("App.meridian.dev \"a\" is invalid: [spec.args: ") == true)
        }
    }

    @Test("names, namespaces and kinds must agree with the path")
    func mismatches() async throws {
        try await TestServer.run { server in
            let patch = "application/apply-patch+yaml"
            let name = try await Self.send(
                server,
                .PATCH,
                Self.apps + "/b?fieldManager=t",
                JSONValue.app("a").text(),
                type: patch
            )
            #expect(name.code == 400 && name.status["message"]?.string?.contains("does not match the name") == true)
            let elsewhere =
                #"{"kind":"App","metadata":{"name":"a","namespace":"other"},"spec":{"source":{"path":"."}}}"#
            #expect(try await Self.send(server, .POST, Self.apps, elsewhere).code == 400)
            #expect(try await Self.send(server, .POST, Self.apps, JSONValue.region("a").text()).code == 400)
            let regions = "/apis/meridian.dev/v1/regions"
            let spaced = #"{"apiVersion":"meridian.dev/v1","kind":"Region","metadata":{"name":"a","namespace":"x"}}"#
            #expect(try await Self.send(server, .POST, regions, spaced).code == 400)
        }
    }

    @Test("bodies are bounded in size, depth and type")
    func bodies() async throws {
        try await TestServer.run { (server) async throws in
            let large = "\"" + String(repeating: "x", count: 4 << 20) + "\""
            #expect(try await Self.send(server, .POST, Self.apps, large).code == 413)
            let deep = String(repeating: "[", count: 100_000)
            #expect(try await Self.send(server, .POST, Self.apps, deep).code == 400)
            #expect(try await Self.send(server, .POST, Self.apps, "{}", type: "text/plain").code == 415)
            #expect(try await Self.send(server, .POST, Self.apps, "[]").code == 400)
            let strategic = "application/strategic-merge-patch+json"
            #expect(try await Self.send(server, .PATCH, Self.apps + "/a", "{}", type: strategic).code == 415)
            #expect(try await Self.send(server, .POST, Self.apps).code == 400)
        }
    }

    @Test("paths and methods that do not exist are 404 and 405")
    func paths() async throws {
        try await TestServer.run { (server) async throws in
            for path in [
                "/", "/apis/meridian.dev/v1/pods", "/apis/meridian.dev/v1/namespaces/default/regions", "/x",
                "/meridian/v1/x",
            ] {
                #expect(try await Self.send(server, .GET, path).code == 404, "\(path)")
            }
            #expect(try await Self.send(server, .PUT, Self.apps).code == 405)
            #expect(try await Self.send(server, .POST, "/version", "{}").code == 405)
            let revisions = "/apis/meridian.dev/v1/namespaces/default/revisions"
            let (code, status) = try await Self.send(server, .DELETE, revisions + "/a-00001")
            #expect(code == 405 && status["message"]?.string?.contains("written by Meridian alone") == true)
            #expect(try await Self.send(server, .GET, revisions + "/a-00001").code == 404)
            #expect(try await Self.send(server, .GET, Self.apps + "?limit=x").code == 400)
            #expect(try await Self.send(server, .GET, Self.apps + "?labelSelector=%zz").code == 400)
            #expect(try await Self.send(server, .GET, Self.apps + "?continue=zzz").code == 400)
            #expect(try await Self.send(server, .PUT, "/meridian/v1/blobs/nonsense", "x").code == 400)
        }
    }

    @Test("foreign Host and Origin headers are refused, so that no page reaches the API through a browser")
    func browsers() async throws {
        try await TestServer.run { (server) async throws in
            for host in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:7700"] {
                #expect(try await Self.send(server, .GET, "/version", headers: [("host", host)]).code == 403, "\(host)")
            }
            for host in ["localhost:7700", "[::1]:7700", "127.0.0.5"] {
                #expect(try await Self.send(server, .GET, "/version", headers: [("host", host)]).code == 200, "\(host)")
            }
            let evil = [("origin", "https://evil.example")]
            #expect(try await Self.send(server, .GET, "/version", headers: evil).code == 403)
            let own = [("origin", "http://localhost:3000")]
            #expect(try await Self.send(server, .GET, "/version", headers: own).code == 200)
        }
    }

    @Test("other addresses than loopback are not listened on")
    func address() async throws {
        for host in ["0.0.0.0", "::", "192.168.1.1", "example.com", "127.0.0.1.nip.io"] {
            #expect(throws: APIServerError.self) {
                let backends = FakeBackends()
                _ = try APIServer(
                    .init(host: host, port: 0, version: "test"),
                    store: MemoryStore(clock: WallClock()),
                    sealing: FakeSealing(),
                    backends: APIBackends(plan: backends, logs: backends, blobs: backends, status: backends),
                    clock: WallClock(),
                    random: SystemRandom(),
                    logger: Logger(label: "test")
                )
            }
        }
    }

    @Test("a port that is taken is refused with the next step", .timeLimit(.minutes(1)))
    func portTaken() async throws {
        try await TestServer.run { server in
            let backends = FakeBackends()
            let port = try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
            let second = try APIServer(
                .init(port: port, version: "test"),
                store: server.store,
                sealing: FakeSealing(),
                backends: APIBackends(plan: backends, logs: backends, blobs: backends, status: backends),
                clock: WallClock(),
                random: SystemRandom(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            let error = await #expect(throws: APIServerError.self) { try await second.run() }
            #expect(error?.message.contains("choose another address with --api") == true)
        }
    }

    @Test("where nobody listens, the words say what to do")
    func nobody() async throws {
        let failure = await refusal {
            try await APIClient.withClient(server: "http://127.0.0.1:1") { _ = try await $0.version() }
        }
        #expect(failure?.code == .unreachable)
        #expect(failure?.message.hasPrefix("no Meridian API at http://127.0.0.1:1: is `meridian up` running?") == true)
    }
}
