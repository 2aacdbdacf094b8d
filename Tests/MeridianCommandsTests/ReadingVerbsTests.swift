// ReadingVerbsTests: `get`, `describe`, `events`, `status`, `logs`, `version`, and the verbs on one app.

import MeridianContent
import MeridianModel
import Testing

@testable import MeridianCommands

/// A platform with one app, its revision, an event and a node.
private func platform() -> FakePlatform {
    let platform = FakePlatform()
    let condition: JSONValue = [
        "type": "Ready", "status": "True", "reason": "Listening", "message": "hello-00001: listens on 0.0.0.0:8080",
        "lastTransitionTime": "2025-12-31T23:59:00Z",
    ]
    platform.put([
        "apiVersion": "meridian.dev/v1", "kind": "App",
        "metadata": [
            "name": "hello", "namespace": "default", "labels": ["tier": "web"],
            "creationTimestamp": "2025-12-31T23:00:00Z", "generation": 1,
        ],
        "spec": ["source": ["path": "./hello"]],
        "status": [
            "observedGeneration": 1, "servingRevision": "hello-00001", "latestRevision": "hello-00001",
            "url": "http://hello.default.localhost", "conditions": [condition],
        ],
    ])
    platform.put([
        "apiVersion": "meridian.dev/v1", "kind": "Revision",
        "metadata": ["name": "hello-00001", "namespace": "default", "creationTimestamp": "2025-12-31T23:00:00Z"],
        "spec": ["app": "hello", "appGeneration": 1, "template": ["source": .string(Digest.zero.description)]],
        "status": ["conditions": [condition]],
    ])
    platform.put([
        "apiVersion": "meridian.dev/v1", "kind": "Event", "metadata": ["name": "e1", "namespace": "default"],
        "involvedObject": ["kind": "App", "namespace": "default", "name": "hello"], "reason": "RevisionServes",
        "message": "hello-00001 serves", "count": 2, "lastTimestamp": "2025-12-31T23:59:30Z",
    ])
    platform.put([
        "apiVersion": "meridian.dev/v1", "kind": "Node", "metadata": ["name": "local"],
        "status": ["runners": 3, "edges": ["http://127.0.0.1:8080"], "conditions": [condition]],
    ])
    return platform
}

@Suite("Reading verbs")
struct ReadingVerbsTests {
    @Test("get prints a table by any name of the kind")
    func table() async {
        let table = """
            NAME    BUILT   READY   SERVING       RUNNERS   URL                              AGE
            hello   -       True    hello-00001   0         http://hello.default.localhost   60m

            """
        for words in [
            ["apps"], ["app"], ["APP", "hello"], ["app/hello"], ["apps", "-l", "tier=web"], ["apps", "-A"],
        ] {
            let run = await CommandRun(["get"] + words, on: platform())
            #expect(run.code == 0)
            let shown = run.output.replacing("NAMESPACE   ", with: "").replacing("default     ", with: "")
            #expect(shown == table, "\(words)")
        }
    }

    @Test("get -o gives documents and names; nothing found is told on standard error")
    func formats() async throws {
        let one = await CommandRun(["get", "app", "hello", "-o", "json"], on: platform())
        #expect(try JSONValue(parsing: one.output)["metadata"]?["name"] == "hello")
        let yaml = await CommandRun(["get", "apps", "-o", "yaml"], on: platform())
        #expect(yaml.output.hasPrefix("apiVersion: meridian.dev/v1\nkind: App\n"))
        #expect(
            await CommandRun(["get", "revisions", "-o", "name"], on: platform()).output == "revision/hello-00001\n"
        )
        let none = await CommandRun(["get", "regions"], on: platform())
        #expect((none.code, none.output, none.errors) == (0, "", "No regions found.\n"))
    }

    @Test("get of a missing object, an unknown kind and a server that is away end with 1, 64 and 1")
    func errors() async {
        let missing = await CommandRun(["get", "app", "helo"], on: platform())
        #expect(missing.code == 1)
        #expect(
            missing.errors
                == "error: app/helo: not found in namespace default. See what there is with: meridian get apps\n"
        )
        let unknown = await CommandRun(["get", "aps"], on: platform())
        #expect(unknown.code == 64)
        #expect(unknown.errors.contains("\"aps\" is no kind: did you mean \"app\"?"))
        let away = await CommandRun(["get", "apps"])
        #expect((away.code, away.errors) == (1, "error: no Meridian API at http://test\n"))
        #expect(await CommandRun(["get"], on: platform()).code == 64)
        #expect(await CommandRun(["nonsense"]).code == 64)
        #expect(await CommandRun(["get", "--help"]).code == 0)
        let completions = await CommandRun(["--generate-completion-script", "bash"])
        #expect(completions.code == 0)
        #expect(completions.output.contains("trafficsplits"))
    }

    @Test("kubeconfig names the server, who vouches for it and the token; a socket is nothing for kubectl")
    func kubeconfig() async throws {
        let folder = try TestFolder([
            "server.json": #"{"api": "https://127.0.0.1:7700", "certificateAuthority": "PEM", "token": "mrd_a_b"}"#
        ])
        let run = await CommandRun(["kubeconfig", "-n", "shop", "--data", folder.path], environment: [:])
        #expect(run.code == 0)
        #expect(
            run.output == """
                apiVersion: v1
                kind: Config
                current-context: meridian
                clusters:
                - name: meridian
                  cluster:
                    server: https://127.0.0.1:7700
                    certificate-authority-data: UEVN
                users:
                - name: meridian
                  user:
                    token: mrd_a_b
                contexts:
                - name: meridian
                  context:
                    cluster: meridian
                    user: meridian
                    namespace: shop

                """
        )
        let socket = await CommandRun(["kubeconfig", "--server", "http+unix://%2Fa"])
        #expect(socket.code == 1 && socket.errors.contains("kubectl cannot reach it"))
    }

    @Test("token create prints the token once and stores what it is known by; a name is not given twice")
    func token() async throws {
        let platform = FakePlatform()
        let words = ["token", "create", "ci", "--role", "editor", "-n", "shop", "--expires", "30d"]
        let run = await CommandRun(words, on: platform)
        #expect(run.code == 0)
        let token = try #require(TokenText(String(run.output.dropLast())))
        #expect(token.name == "ci")
        let stored = try await platform.object(ObjectKey(kind: AccessToken.kind, name: "ci"))?["spec"]
        #expect(stored?["digest"]?.string == token.digest.description)
        #expect(stored?["namespaces"] == ["shop"] && stored?["role"] == "editor")
        let expiry = FakePlatform.now + .seconds(30 * 86_400)
        #expect(stored?["expiresAt"]?.string == expiry.description)
        let again = await CommandRun(words, on: platform)
        #expect((again.code, again.output) == (1, ""))
        #expect(again.errors.contains("meridian delete accesstoken ci"))
        for bad in [["--role", "king"], ["--role", "viewer", "--expires", "0s"], []] {
            #expect(await CommandRun(["token", "create", "x"] + bad, on: platform).code == 64)
        }
    }

    @Test("the server is found by option, variable and data directory, and asked for otherwise")
    func server() async throws {
        let folder = try TestFolder([
            "server.json": #"{"api": "http://127.0.0.1:7700/", "pid": 1}"#, "bad/server.json": "{",
        ])
        func address(_ option: String?, _ variable: String?, _ data: String) throws -> String {
            try ServerAddress(server: option, dataDirectory: data) { $0 == "MERIDIAN_SERVER" ? variable : nil }
                .access().url
        }
        #expect(try address("http://a", "http://b", folder.path) == "http://a")
        #expect(try address(nil, "http://b", folder.path) == "http://b")
        #expect(try address(nil, nil, folder.path) == "http://127.0.0.1:7700")
        #expect(throws: CommandFailure.self) { try address("a:1", nil, folder.path) }
        #expect(throws: CommandFailure.self) { try address(nil, nil, "\(folder.path)/bad") }
        let run = await CommandRun(["get", "apps", "--data", "\(folder.path)/none"], on: platform(), environment: [:])
        #expect(run.code == 1)
        #expect(run.errors.hasPrefix("error: no server is known: "))
        #expect(run.errors.hasSuffix("Start one with: meridian up --data \(folder.path)/none\n"))
    }

    @Test("a running up's credentials are for its own URL alone; options and variables stand above them")
    func credentials() throws {
        let running = #"{"api": "https://127.0.0.1:7700", "certificateAuthority": "ours", "token": "admin"}"#
        let folder = try TestFolder(["server.json": running, "ca.crt": "theirs", "token": "mine\n"])
        func access(_ server: String?, _ variables: [String: String] = [:], ca: String? = nil, token: String? = nil)
            throws -> ServerAccess
        {
            try ServerAddress(
                server: server,
                certificateAuthorityFile: ca,
                tokenFile: token,
                dataDirectory: folder.path,
                environment: { variables[$0] }
            ).access()
        }
        let url = "https://127.0.0.1:7700"
        #expect(try access(nil) == ServerAccess(url: url, certificateAuthority: "ours", token: "admin"))
        #expect(try access("https://b") == ServerAccess(url: "https://b"))
        #expect(
            try access("https://b", ca: "\(folder.path)/ca.crt", token: "\(folder.path)/token")
                == ServerAccess(url: "https://b", certificateAuthority: "theirs", token: "mine")
        )
        let variables = ["MERIDIAN_TOKEN": "v", "MERIDIAN_CERTIFICATE_AUTHORITY": "\(folder.path)/ca.crt"]
        #expect(try access(nil, variables) == ServerAccess(url: url, certificateAuthority: "theirs", token: "v"))
        #expect(throws: CommandFailure.self) { try access(nil, token: "\(folder.path)/none") }
    }

    @Test("describe shows identity, spec, status, conditions, revisions and events")
    func describe() async {
        let run = await CommandRun(["describe", "app", "hello"], on: platform())
        #expect(
            run.output == """
                Name:         hello
                Namespace:    default
                Kind:         App
                Labels:       tier=web
                Created:      2025-12-31T23:00:00Z (60m ago)
                Generation:   1 (observed: 1)

                Spec:
                  source:
                    path: ./hello

                Status:
                  servingRevision: hello-00001
                  latestRevision: hello-00001
                  url: http://hello.default.localhost

                Conditions:
                  TYPE    STATUS   REASON      SINCE
                  Ready   True     Listening   60s
                      hello-00001: listens on 0.0.0.0:8080

                Revisions:
                  NAME          APP     BUILT   READY   RUNNERS   REASON      AGE
                  hello-00001   hello   -       True    0         Listening   60m

                Runners:
                  none

                Events:
                  LAST   TYPE     REASON           MESSAGE
                  30s    Normal   RevisionServes   hello-00001 serves (×2)

                """
        )
        #expect(await CommandRun(["describe", "app"], on: platform()).code == 64)
    }

    @Test("events, status, logs and version")
    func others() async {
        let events = await CommandRun(["events", "--for", "app/hello"], on: platform())
        #expect(
            events.output
                == "LAST   TYPE     REASON           MESSAGE\n30s    Normal   RevisionServes   hello-00001 serves (×2)\n"
        )
        #expect(await CommandRun(["events", "--for", "region/x"], on: platform()).errors == "No events found.\n")
        #expect(await CommandRun(["events", "--for", "hello"], on: platform()).code == 64)
        let status = await CommandRun(["status"], on: platform())
        #expect(
            status.output == """
                Server    http://test, version 0.1.0-test
                Nodes     1 of 1 ready
                Edge      http://127.0.0.1:8080
                Runners   3
                Apps      1 (0 serving, 0 under way, 0 failed)

                """
        )
        let logs = await CommandRun(["logs", "hello", "--build"], on: platform())
        #expect(logs.output == "2026-01-01T00:00:00Z runner-1 built\n")
        let version = await CommandRun(["version"], on: platform())
        #expect(version.output == "client  \(clientVersion)\nserver  0.1.0-test at http://test\n")
        let alone = await CommandRun(["version"])
        #expect(
            (alone.code, alone.output) == (
                0, "client  \(clientVersion)\nserver  none: no Meridian API at http://test\n"
            )
        )
    }

    @Test("rollback says from where to where; restart and rebuild name the app")
    func actions() async {
        let shop = platform()
        shop.setStatus(ObjectKey(kind: "App", namespace: "default", name: "hello"), ["servingRevision": "hello-00003"])
        let run = await CommandRun(["rollback", "hello", "--to", "hello-00002"], on: shop)
        #expect(run.code == 0)
        #expect(run.output.hasPrefix("app/hello rolled back: hello-00003 → hello-00002 in "))
        #expect(await CommandRun(["restart", "hello"], on: shop).output == "app/hello restarts\n")
        #expect(await CommandRun(["rebuild", "app/hello"], on: shop).output == "app/hello is built anew\n")
        #expect(shop.log == ["restart App/default/hello", "rebuild App/default/hello"])
        #expect(await CommandRun(["rollback", "nobody"], on: shop).code == 1)
    }

    @Test("delete takes names and manifests, waits, and fails for what is not there")
    func delete() async throws {
        let shop = platform()
        let gone = await CommandRun(["delete", "app", "hello"], on: shop)
        #expect((gone.code, gone.output) == (0, "app/hello deleted\n"))
        let missing = await CommandRun(["delete", "app/hello"], on: shop)
        #expect(missing.code == 1)
        #expect(missing.errors.hasPrefix("error: app/hello: not found in namespace default."))
        #expect(await CommandRun(["delete", "app/hello", "--ignore-not-found"], on: shop).code == 0)
        let text =
            manifest("App", "spec: {source: {path: gone}}", name: "b") + "---\n" + manifest("Region", "", name: "r")
        shop.put(["kind": "App", "metadata": ["name": "b", "namespace": "default"]])
        shop.put(["kind": "Region", "metadata": ["name": "r"]])
        let files = await CommandRun(["delete", "-f", "-"], on: shop, input: text)
        #expect((files.code, files.output) == (0, "app/b deleted\nregion/r deleted\n"))
        #expect(await CommandRun(["delete"], on: shop).code == 64)
    }
}
