// YAMLBodyTests: objects sent as YAML text, as curl and GitOps clients do.
import AsyncHTTPClient
import MeridianAPIServer
import MeridianModel
import NIOCore
import NIOHTTP1
import Testing

@Suite("Bodies in YAML")
struct YAMLBodyTests {
    private static let apps = "/apis/meridian.dev/v1/namespaces/default/apps"
    private static let manifest = """
        # A comment, which JSON has none of.
        apiVersion: meridian.dev/v1
        kind: App
        metadata: {name: a}
        spec:
          source: {path: .}
          env: {GREETING: hello}

        """

    private static func send(
        _ server: TestServer,
        _ method: HTTPMethod,
        _ path: String,
        _ body: String,
        _ type: String
    ) async throws -> (code: Int, answer: JSONValue) {
        var request = HTTPClientRequest(url: server.url + path)
        request.method = method
        request.headers.add(name: "content-type", value: type)
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let bytes = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), try JSONValue(parsing: Array(bytes.readableBytesView)))
    }

    @Test("POST, PUT and server-side apply take it")
    func written() async throws {
        try await TestServer.run { server in
            let made = try await Self.send(server, .POST, Self.apps, Self.manifest, "application/yaml")
            #expect(made.code == 201 && made.answer["spec"]?["env"]?["GREETING"] == "hello")
            let version = try #require(made.answer.version)
            let other = Self.manifest.replacing("name: a", with: "name: a, resourceVersion: '\(version)'")
                .replacing("hello", with: "ciao")
            let put = try await Self.send(server, .PUT, "\(Self.apps)/a", other, "application/yaml")
            #expect(put.code == 200 && put.answer["spec"]?["env"]?["GREETING"] == "ciao")
            let apply = "\(Self.apps)/b?fieldManager=curl"
            let text = Self.manifest.replacing("name: a", with: "name: b")
            let applied = try await Self.send(server, .PATCH, apply, text, "application/apply-patch+yaml")
            #expect(applied.code == 201)
            #expect(applied.answer["metadata"]?["managedFields"]?.array?.first?["manager"] == "curl")
        }
    }

    @Test("what is wrong in it is told with line and column; two documents are one too many")
    func refused() async throws {
        try await TestServer.run { server in
            let broken = Self.manifest + "  env: [\n"
            let answer = try await Self.send(server, .POST, Self.apps, broken, "application/yaml")
            #expect(answer.code == 400)
            let message = answer.answer["message"]?.string ?? ""
            #expect(message.hasPrefix("strict decoding error: the body:"), "\(message)")
            let twice = try await Self.send(
                server,
                .POST,
                Self.apps,
                Self.manifest + "---\n" + Self.manifest,
                "application/yaml"
            )
            #expect(twice.code == 400 && twice.answer["message"]?.string?.contains("2 objects") == true)
            let merge = try await Self.send(
                server,
                .PATCH,
                "\(Self.apps)/a",
                Self.manifest,
                "application/merge-patch+json"
            )
            #expect(merge.code == 400)
        }
    }
}
