// RuleRoutingTests: requests that rules, cookies and headers send to their backends, over real sockets.
import CAllocationCount
import MeridianEdge
import MeridianModel
import Testing

extension EdgeTests {
    @Suite("Requests by rules")
    struct RuleRouting {
        private static let second = "default/app-00002"

        /// A rule that sends what `change` asks for to the second revision.
        private static func rule(_ change: (inout RequestMatch) -> Void) -> RouteRule {
            var match = RequestMatch()
            change(&match)
            return RouteRule([match], [RouteBackend(revision: second, weight: 100)])
        }

        /// An edge with two revisions on one backend; the second one is reached by rules.
        private static func stand(
            loops: Int = 2,
            _ change: @escaping (inout HostRoute) -> Void
        ) async throws -> EdgeStand {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.target) }), loops: loops, changing: change)
            let endpoint = RunnerEndpoint(id: "two", networkNamespace: -1, port: stand.backend.port)
            await stand.edge.setRunners(second, [endpoint], concurrencyMax: 1000)
            return stand
        }

        @Test(
            "each kind of match leads a request on a kept connection to its revision",
            arguments: [
                ("GET /v2/a HTTP/1.1", "", true), ("GET /v20 HTTP/1.1", "", false), ("GET /v2?x HTTP/1.1", "", true),
                ("GET http://app.test/v2/a HTTP/1.1", "", true), ("GET http://app.test HTTP/1.1", "", false),
                ("DELETE /a HTTP/1.1", "", true), ("OPTIONS * HTTP/1.1", "", false),
                ("GET /a HTTP/1.1", "X-Beta: yes\r\n", true), ("GET /a HTTP/1.1", "X-Beta: yess\r\n", false),
                ("GET /a HTTP/1.1", "Cookie: a=b; beta=1\r\n", true), ("GET /a HTTP/1.1", "Cookie: abeta=1\r\n", false),
            ]
        )
        func kinds(_ line: String, _ fields: String, isTaken: Bool) async throws {
            let stand = try await Self.stand { host in
                host.rules = [
                    Self.rule { $0.pathPrefix = "/v2" }, Self.rule { $0.method = "DELETE" },
                    Self.rule { $0.headers = [ValueMatch("x-beta", exact: "yes")] },
                    Self.rule { $0.cookies = [ValueMatch(present: "beta")] },
                ]
            }
            let client = try stand.client()
            // Twice, with a request that no rule takes between, so that nothing of one request is left for the next.
            for expected in [isTaken, false, isTaken] {
                let line = expected == isTaken ? line : "GET / HTTP/1.1"
                try client.send("\(line)\r\nHost: app.test\r\n\(expected == isTaken ? fields : "")\r\n")
                let answer = try client.receiveResponse()
                let revision = expected ? "app-00002" : "app-00001"
                #expect(answer.status == 200 && answer.field("x-meridian-revision") == revision)
            }
            await stand.stop()
        }

        @Test("a rule whose backends are gone answers 503 instead of leading elsewhere")
        func noBackend() async throws {
            let stand = try await Self.stand { host in
                var rule = Self.rule { $0.pathPrefix = "/v2" }
                rule.backends = []
                host.rules = [rule]
            }
            #expect(try stand.get("/v2").status == 503)
            #expect(try stand.get("/").status == 200)
            await stand.stop()
        }

        @Test("a request that waits for a runner goes where its rule said")
        func parked() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.target) })) { host in
                host.rules = [Self.rule { $0.pathPrefix = "/v2" }]
            }
            let client = try stand.client()
            try client.send("GET /v2/late HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.demands == [Self.second] })
            let endpoint = RunnerEndpoint(id: "two", networkNamespace: -1, port: stand.backend.port)
            await stand.edge.setRunners(Self.second, [endpoint], concurrencyMax: 10)
            let answer = try client.receiveResponse()
            #expect(answer.text == "/v2/late" && answer.field("x-meridian-revision") == "app-00002")
            await stand.stop()
        }

        @Test("a client stays on its revision when the weights leave it, and is drawn anew when the revision is gone")
        func skewProtection() async throws {
            let stand = try await Self.stand { host in
                host.stickyCookie = "v"
                host.stickyTTL = .seconds(43_200)
            }
            let cookie = try #require(try stand.get().field("set-cookie"))
            #expect(cookie == "v=app-00001; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax")
            var moved = EdgeStand.host()
            moved.stickyCookie = "v"
            moved.backends = [RouteBackend(revision: Self.second, weight: 100)]
            moved.kept = [EdgeStand.revision]
            try await stand.edge.apply(RouteTable(number: 2, hosts: [moved]))
            let kept = try stand.get("/", "Cookie: v=app-00001\r\n")
            #expect(kept.field("x-meridian-revision") == "app-00001" && kept.field("set-cookie") == nil)
            #expect(try stand.get().field("x-meridian-revision") == "app-00002")
            moved.kept = []
            try await stand.edge.apply(RouteTable(number: 3, hosts: [moved]))
            let gone = try stand.get("/", "Cookie: v=app-00001\r\n")
            #expect(gone.field("x-meridian-revision") == "app-00002")
            #expect(gone.field("set-cookie")?.hasPrefix("v=app-00002; ") == true)
            await stand.stop()
        }

        @Test("the value of a header decides, the same on every loop")
        func stickyHeader() async throws {
            let stand = try await Self.stand { host in
                host.stickyHeader = "x-user"
                host.backends = [
                    RouteBackend(revision: EdgeStand.revision, weight: 50),
                    RouteBackend(revision: Self.second, weight: 50),
                ]
            }
            var seen: Set<String> = []
            for user in 0..<20 {
                let answers = try (0..<4).map { _ in try stand.get("/", "X-User: user-\(user)\r\n") }
                let revisions = Set(answers.compactMap { $0.field("x-meridian-revision") })
                #expect(revisions.count == 1 && answers.allSatisfy { $0.field("set-cookie") == nil })
                seen.formUnion(revisions)
            }
            #expect(seen.count == 2)
            await stand.stop()
        }

        @Test("rules and sticky headers allocate nothing on kept connections")
        func allocations() async throws {
            let stand = try await Self.stand(loops: 1) { host in
                host.rules = [
                    Self.rule { $0.cookies = [ValueMatch(present: "beta")] },
                    Self.rule {
                        $0.method = "GET"
                        $0.pathPrefix = "/items"
                        $0.headers = [ValueMatch("x-plan", prefix: "gold")]
                    },
                ]
                host.stickyHeader = "x-user"
            }
            let loop = try #require(loopThread())
            let client = try stand.client()
            func exchange(_ times: Int) throws {
                for _ in 0..<times {
                    let fields = "X-Plan: golden\r\nX-User: a\r\nCookie: a=b; c=d\r\n"
                    try client.send("GET /items?id=42 HTTP/1.1\r\nHost: app.test\r\n\(fields)\r\n")
                    #expect(try client.receiveResponse().field("x-meridian-revision") == "app-00002")
                }
            }
            try exchange(20)
            allocation_count_begin(loop)
            try exchange(200)
            let count = allocation_count()
            allocation_count_begin(0)
            #expect(count == 0)
            await stand.stop()
        }
    }

    @Suite(
        "Requests by rules over HTTP/2 and TLS",
        .enabled(if: hasTools("curl", "openssl"), "curl or openssl is missing")
    )
    struct RuleRoutingOverH2 {
        private static let second = "default/app-00002"

        private func stand(_ version: String) async throws -> SecureStand {
            let stand = try await SecureStand(TestCertificates(), httpVersion: version) { host in
                var beta = RequestMatch()
                beta.headers = [ValueMatch("x-beta", prefix: "y")]
                var crumb = RequestMatch()
                crumb.cookies = [ValueMatch("beta", exact: "1")]
                var path = RequestMatch()
                path.method = "POST"
                path.pathPrefix = "/v2"
                host.rules = [RouteRule([beta, crumb, path], [RouteBackend(revision: Self.second, weight: 100)])]
                host.stickyCookie = "v"
            }
            let endpoint = RunnerEndpoint(id: "two", networkNamespace: -1, port: stand.backendPort)
            await stand.edge.setRunners(Self.second, [endpoint], concurrencyMax: 1000)
            return stand
        }

        @Test(
            "streams and requests are looked at one by one",
            arguments: [
                ("-H 'x-beta: yes' https://app.test:PORT/", true), ("-H 'x-beta: no' https://app.test:PORT/", false),
                ("-H 'cookie: a=b' -H 'cookie: beta=1' https://app.test:PORT/", true),
                ("-d x https://app.test:PORT/v2/a", true), ("https://app.test:PORT/v2/a", false),
                ("-d x https://app.test:PORT/v20", false),
            ],
            ["--http2", "--http1.1"]
        )
        func streams(_ request: (String, Bool), _ version: String) async throws {
            let stand = try await stand(version)
            let words = try await stand.shell("CURL -i \(request.0) --next CURLOPTS -i https://app.test:PORT/")
            let revisions = words.split(separator: "\r\n").filter { $0.hasPrefix("x-meridian-revision: ") }
            #expect(revisions == ["2", "1"].map { "x-meridian-revision: app-0000\(request.1 ? $0 : "1")" }, "\(words)")
            await stand.stop()
        }

        @Test("a sticky cookie set over TLS is never sent without it", arguments: ["--http2", "--http1.1"])
        func secureCookie(_ version: String) async throws {
            let stand = try await stand(version)
            let words = try await stand.shell("CURL -i https://app.test:PORT/")
            #expect(words.contains("v=app-00001; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure\r\n"), "\(words)")
            let plain = try await stand.shell("CURL --http1.1 -i -H 'Host: app.test' http://127.0.0.1:PLAIN/")
            #expect(plain.contains("v=app-00001; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax\r\n"), "\(plain)")
            await stand.stop()
        }
    }
}
