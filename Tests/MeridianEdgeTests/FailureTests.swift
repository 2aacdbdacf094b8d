// FailureTests: runners that break, time that runs out, and changes under load.
import Glibc
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

/// The time that a slow app takes; long enough for requests to overlap.
func usleepTwoMilliseconds() { usleep(2000) }

extension EdgeTests {
    @Suite("Failures and changes")
    struct Failures {
        @Test("a kept connection that the app closed is replaced once, without the client noticing")
        func staleUpstream() async throws {
            // Answers one request per connection, keeps it, and closes on the second request without a byte.
            let stand = try await EdgeStand(
                TestBackend { connection in
                    _ = try receiveRequest(connection)
                    try connection.send(ok("first"))
                    _ = try receiveRequest(connection)
                },
                loops: 1
            )
            #expect(try stand.get().text == "first")
            #expect(try stand.get().text == "first")
            #expect(stand.backend.connectionCount == 2)
            // A POST that was sent may have had its effect: it is not repeated.
            let client = try stand.client()
            try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx")
            let response = try client.receiveResponse()
            #expect(response.status == 502 && response.text.contains("closed the connection"))
            #expect(stand.backend.connectionCount == 2)
            await stand.stop()
        }

        @Test("a runner that does not accept connections is passed over; without another the answer is 502")
        func connectFailure() async throws {
            let dead = try TestBackend(answering: { _ in ok("dead") })
            dead.stop()
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("alive") }))
            await stand.setRunners([dead, stand.backend])
            for _ in 0..<20 { #expect(try stand.get().text == "alive") }
            await stand.setRunners([dead])
            let response = try stand.get()
            #expect(response.status == 502 && response.text.contains("does not accept connections"))
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test(
            "an answer that is not HTTP is a 502",
            arguments: [
                "garbage\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n",
                "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \u{1}\r\n\r\n",
                "HTTP/1.1 2",
            ]
        )
        func badAnswer(_ answer: String) async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    _ = try receiveRequest(connection)
                    try connection.send(answer)
                }
            )
            #expect(try stand.get().status == 502)
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("an app that does not answer in time is a 504; one that stops in the middle ends the connection")
        func responseTimeout() async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    let request = try receiveRequest(connection)
                    if request?.target == "/half" {
                        try connection.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                    }
                    _ = connection.receiveAll()
                }
            ) { $0.requestTimeout = .milliseconds(200) }
            let late = try stand.get()
            #expect(late.status == 504 && late.text.contains("did not answer in time"))
            #expect(throws: SocketFailure.self) { try stand.get("/half") }
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("a slow head is answered 408, an idle connection is closed without a word")
        func slowHead() async throws {
            var limits = EdgeLimits()
            limits.headMilliseconds = 100
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") }), limits: limits)
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHos")
            #expect(try client.receiveResponse().status == 408)
            #expect(try stand.client().receive().isEmpty)
            await stand.stop()
        }

        @Test("unknown hosts get 404, hosts without a backend 503, both with words")
        func ownAnswers() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") })) { $0.backends = [] }
            let none = try stand.get()
            #expect(none.status == 503 && none.field("retry-after") == "1" && none.text.contains("no ready revision"))
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
            let unknown = try client.receiveResponse()
            #expect(unknown.status == 404 && unknown.text.contains("no app answers to this host"))
            #expect(unknown.text.contains(unknown.field("x-request-id") ?? "none"))
            try client.send("HEAD / HTTP/1.1\r\nHost: nobody.test\r\n\r\nGET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n")
            #expect(try client.receiveResponse(toHead: true).status == 404)
            #expect(try client.receiveResponse().status == 404)
            await stand.stop()
        }

        @Test("a bad table is refused, an older one ignored, and the last good one stays")
        func tables() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") }))
            await #expect(throws: EdgeError.self) {
                try await stand.edge.apply(RouteTable(number: 5, hosts: [EdgeStand.host(), EdgeStand.host()]))
            }
            #expect(stand.edge.tableNumber == 1)
            try await stand.edge.apply(RouteTable(number: 3, hosts: [EdgeStand.host(), EdgeStand.host("b.test")]))
            try await stand.edge.apply(RouteTable(number: 2, hosts: []))
            #expect(stand.edge.tableNumber == 3)
            #expect(try stand.get().status == 200)
            await stand.stop()
        }

        @Test("tables swap and runners come and go under load without a failed request")
        func changesUnderLoad() async throws {
            let load = Load()
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") }))
            let others = try (0..<2).map { _ in try TestBackend(answering: { _ in ok("x") }) }
            for _ in 0..<4 { load.start(stand.port) }
            for round in 2..<400 where round < 60 || load.requests < 2000 {
                var host = EdgeStand.host()
                let other = "default/app-\(round)"
                host.backends = [
                    RouteBackend(revision: EdgeStand.revision, weight: 50), RouteBackend(revision: other, weight: 50),
                ]
                let endpoint = RunnerEndpoint(id: "other-\(round)", networkNamespace: -1, port: others[round % 2].port)
                await stand.edge.setRunners(other, [endpoint], concurrencyMax: 10)
                try await stand.edge.apply(RouteTable(number: round, hosts: [host]))
                await stand.setRunners([stand.backend, others[(round + 1) % 2]])
                try await stand.edge.apply(RouteTable(number: round + 1000, hosts: [host]))
                await stand.setRunners([others[round % 2]], concurrencyMax: 2)
                let removed = "app-\(stand.backend.port)"
                #expect(await eventually { stand.edge.load().runners[removed].map { $0.inFlight == 0 } ?? true })
                host.backends = [RouteBackend(revision: EdgeStand.revision, weight: 100)]
                try await stand.edge.apply(RouteTable(number: round + 1001, hosts: [host]))
                await stand.edge.setRunners(other, [], concurrencyMax: 1)
            }
            let failures = await load.end()
            #expect(load.requests > 500 && failures == 0)
            #expect(await eventually { stand.inFlight == 0 && stand.parked == 0 })
            await stand.stop()
        }

        @Test("a drain lets requests finish, tells clients to close, and refuses new connections")
        func drain() async throws {
            let gate = Seen()
            let stand = try await EdgeStand(
                TestBackend { connection in
                    while try receiveRequest(connection) != nil {
                        while gate.count.withLock({ $0 }) == 0 { usleep(1000) }
                        try connection.send(ok("done"))
                    }
                }
            )
            let busy = try stand.client()
            let idle = try stand.client()
            try busy.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.inFlight == 1 && stand.edge.load().connections == 2 })
            async let drained: Void = stand.edge.drain(within: .seconds(5))
            #expect(try idle.receive().isEmpty)
            #expect(await eventually { (try? stand.client()) == nil })
            gate.count.withLock { $0 = 1 }
            let response = try busy.receiveResponse()
            #expect(response.text == "done" && response.field("connection") == "close")
            await drained
            #expect(stand.edge.load().connections == 0)
            await stand.stop()
        }

        @Test("a drain ends at its limit")
        func drainLimit() async throws {
            let stand = try await EdgeStand(TestBackend { _ = $0.receiveAll() })
            let busy = try stand.client()
            try busy.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.inFlight == 1 })
            await stand.edge.drain(within: .milliseconds(50))
            #expect(stand.inFlight == 1)
            await stand.stop()
            #expect(busy.receiveAll().isEmpty)
            #expect(stand.inFlight == 0)
        }

        @Test("two thousand quick connections leave nothing behind")
        func churn() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") }))
            for index in 0..<2000 {
                let client = try stand.client()
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                // Every third leaves without its answer, which breaks the exchange at some point.
                if index % 3 != 0 { #expect(try client.receiveResponse().status == 200) }
                client.close()
            }
            #expect(await eventually { stand.inFlight == 0 && stand.edge.load().connections == 0 })
            await stand.stop()
        }
    }
}

/// Threads that send requests on kept connections until told to end.
private final class Load: Sendable {
    private struct State {
        var requests = 0
        var failures = 0
        var running = 0
        var isOver = false
    }

    private let state = Mutex(State())

    func start(_ port: UInt16) {
        state.withLock { $0.running += 1 }
        onThread { [self] in
            let client = try? TestSocket(port: port)
            while !state.withLock({ $0.isOver }) {
                let isRight = (try? once(client)) ?? false
                state.withLock { state in
                    state.requests += 1
                    state.failures += isRight ? 0 : 1
                }
                if !isRight { break }
            }
            state.withLock { $0.running -= 1 }
        }
    }

    var requests: Int { state.withLock { $0.requests } }

    /// Ends the load; the number of requests that were not answered 200.
    func end() async -> Int {
        state.withLock { $0.isOver = true }
        _ = await eventually { state.withLock { $0.running } == 0 }
        return state.withLock { $0.failures }
    }

    private func once(_ client: TestSocket?) throws -> Bool {
        guard let client else { return false }
        try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
        return try client.receiveResponse().status == 200
    }
}
