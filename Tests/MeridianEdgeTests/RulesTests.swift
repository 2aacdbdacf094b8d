// RulesTests: what an EdgePolicy keeps clients from.
import Glibc
import MeridianEdge
import MeridianModel
import Testing

extension EdgeTests {
    @Suite("The rules of a policy")
    struct Rules {
        /// An edge with policies for `app.test` and `other.test`, both of which the same backend answers.
        private func stand(
            _ policies: [RoutePolicy],
            limits: EdgeLimits = EdgeLimits(),
            _ answering: @escaping @Sendable (TestRequest) -> String = { _ in ok("x") }
        ) async throws -> EdgeStand {
            let stand = try await EdgeStand(TestBackend(answering: answering), limits: limits)
            try await apply(policies, number: 2, to: stand)
            return stand
        }

        private func apply(_ policies: [RoutePolicy], number: Int, to stand: EdgeStand) async throws {
            var table = RouteTable(number: number, hosts: [EdgeStand.host(), EdgeStand.host("other.test")])
            table.policies = policies
            try await stand.edge.apply(table)
        }

        private func policy(
            _ name: String = "default",
            hosts: [String] = [],
            _ change: (inout EdgePolicySpec) -> Void
        ) -> RoutePolicy {
            var rules = EdgePolicySpec()
            rules.hosts = hosts
            change(&rules)
            return RoutePolicy(name: name, rules: rules)
        }

        private func get(_ host: String, _ stand: EdgeStand) throws -> TestResponse {
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            return try client.receiveResponse()
        }

        @Test("a client that asks too often gets 429 and when to come again, on whatever connection")
        func clientRate() async throws {
            let stand = try await stand([policy { $0.clientRate = RequestRate(3, per: .seconds(3600)) }])
            for _ in 0..<3 { #expect(try stand.get().status == 200) }
            let refused = try stand.get()
            #expect(refused.status == 429 && refused.text.contains("too many requests"))
            let seconds = try #require(refused.field("retry-after").flatMap { Int($0) })
            // A turn comes every twenty minutes.
            #expect((1190...1200).contains(seconds))
            #expect(try get("other.test", stand).status == 429)
            try await apply(
                [policy { $0.clientRate = RequestRate(3, per: .seconds(3600), burst: 4) }],
                number: 3,
                to: stand
            )
            #expect(try stand.get().status == 200)
            #expect(try stand.get().status == 429)
            #expect(stand.edge.refusals[.rate] == 3)
            try await apply([], number: 4, to: stand)
            #expect(try stand.get().status == 200)
            await stand.stop()
        }

        @Test("turns come back with time")
        func turnsComeBack() async throws {
            let stand = try await stand([policy { $0.clientRate = RequestRate(1, per: .milliseconds(100)) }])
            #expect(try stand.get().status == 200)
            #expect(await eventually { (try? stand.get().status) == 200 })
            await stand.stop()
        }

        @Test("a host's rate is its own, however its name is written, and leaves other hosts alone")
        func hostRate() async throws {
            let stand = try await stand([
                policy("narrow", hosts: ["app.test"]) { $0.hostRate = RequestRate(2, per: .seconds(3600)) }
            ])
            #expect(try get("app.test", stand).status == 200)
            #expect(try get("APP.test.:80", stand).status == 200)
            #expect(try get("App.Test", stand).status == 429)
            #expect(try get("other.test", stand).status == 200)
            await stand.stop()
        }

        @Test("clients are served by where they are, and deny goes before allow")
        func addresses() async throws {
            for (allow, deny, status) in [
                ([], [], 200), (["127.0.0.0/8"], [], 200), (["10.0.0.0/8", "::1"], [], 403),
                ([], ["127.0.0.1"], 403), (["127.0.0.0/8"], ["0.0.0.0/0"], 403), ([], ["127.0.0.2/32", "::/64"], 200),
            ] {
                let stand = try await stand([
                    policy {
                        $0.allow = allow
                        $0.deny = deny
                    }
                ])
                let answer = try stand.get()
                #expect(answer.status == status, "allow \(allow), deny \(deny)")
                await stand.stop()
            }
        }

        @Test("a body that is too large is refused by its length or where it passes the bound")
        func bodySize() async throws {
            let stand = try await stand([policy { $0.limits.body = ByteQuantity(bytes: 10) }]) {
                ok("\($0.body.count)")
            }
            func post(_ fields: String, _ body: String) throws -> TestResponse {
                let client = try stand.client()
                try client.send("POST / HTTP/1.1\r\nHost: app.test\r\n\(fields)\r\n\r\n\(body)")
                return try client.receiveResponse()
            }
            #expect(try post("Content-Length: 10", "0123456789").text == "10")
            #expect(try post("Content-Length: 11", "").status == 413)
            let chunk = "5\r\n01234\r\n"
            #expect(try post("Transfer-Encoding: chunked", "1\r\n0\r\n0\r\n\r\n").text == "1")
            #expect(try post("Transfer-Encoding: chunked", chunk + chunk + "0\r\n\r\n").text == "10")
            #expect(try post("Transfer-Encoding: chunked", chunk + chunk + chunk).status == 413)
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("a target and a head are bounded as the policy says")
        func headSize() async throws {
            let stand = try await stand([
                policy {
                    $0.limits.target = ByteQuantity(bytes: 16)
                    $0.limits.head = ByteQuantity(bytes: 1024)
                }
            ])
            #expect(try stand.get("/0123456789abcde").status == 200)
            #expect(try stand.get("/0123456789abcdef").status == 414)
            #expect(try stand.get("/", "a: \(String(repeating: "x", count: 1100))\r\n").status == 431)
            await stand.stop()
        }

        @Test("a body that comes too slowly is a 408, one that comes well enough is not")
        func slowBody() async throws {
            let stand = try await stand([
                policy {
                    $0.deadlines.bodyRate = ByteQuantity(bytes: 100)
                    $0.deadlines.bodyGrace = .milliseconds(200)
                }
            ]) { ok("\($0.body.count)") }
            let slow = try stand.client()
            try slow.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n0123456789")
            let answer = try slow.receiveResponse()
            #expect(answer.status == 408 && answer.text.contains("too slowly"))
            let steady = try stand.client()
            try steady.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000\r\n\r\n")
            for _ in 0..<10 {
                try steady.send(String(repeating: "x", count: 100))
                usleep(50_000)
            }
            #expect(try steady.receiveResponse().text == "1000")
            #expect(stand.edge.refusals[.slowBody] == 1)
            await stand.stop()
        }

        @Test("a client has as many connections as the policy gives it, and gets places back")
        func connections() async throws {
            let stand = try await stand([policy { $0.connectionsPerClient = 2 }])
            var kept = [try stand.client(), try stand.client()]
            for client in kept {
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().status == 200)
            }
            let third = try stand.client()
            #expect(try third.receiveResponse().status == 429)
            #expect(stand.edge.refusals[.connectionsPerClient] == 1)
            kept.removeLast()
            #expect(await eventually { (try? stand.get().status) == 200 })
            await stand.stop()
        }

        @Test("an edge without memory for more says so and serves again when it has some")
        func overload() async throws {
            var limits = EdgeLimits()
            // Two loops with eight buffers each.
            limits.bufferBytesMax = 16 * 64 * 1024
            let stand = try await stand([], limits: limits)
            let holders = try (0..<40).map { _ in
                let client = try stand.client()
                try client.send("GET / HTTP/1.1\r\nHost")
                return client
            }
            #expect(await eventually { stand.edge.refusals[.overload, default: 0] > 0 })
            withExtendedLifetime(holders) {}
            for holder in holders { holder.close() }
            #expect(await eventually { (try? stand.get().status) == 200 })
            await stand.stop()
        }

        @Test("a table with two policies for a host is refused, and the one in force stays")
        func contested() async throws {
            let stand = try await stand([policy { $0.deny = ["10.0.0.0/8"] }])
            let twice = [
                policy("one", hosts: ["app.test"]) { _ in }, policy("two", hosts: ["app.test", "b.test"]) { _ in },
            ]
            await #expect(throws: (any Error).self) { try await apply(twice, number: 3, to: stand) }
            await #expect(throws: (any Error).self) {
                try await apply([policy("one") { _ in }, policy("two") { _ in }], number: 3, to: stand)
            }
            #expect(try stand.get().status == 200)
            await stand.stop()
        }
    }
}
