// MirrorTests: copies of requests reach their backend, and nothing of it reaches the client.
import CAllocationCount
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Copies of requests")
    struct Mirrors {
        /// An edge whose app answers `main`, with a second backend that gets copies.
        private struct Stand {
            let edge: EdgeStand
            let copies: TestBackend
            let seen: Seen

            /// Copies `percent` of the requests; where `answer` gives an empty text the connection is closed.
            init(
                percent: Int = 100,
                loops: Int = 2,
                answer: @escaping @Sendable (TestRequest) -> String = { _ in ok("copy") }
            ) async throws {
                let seen = Seen()
                let copies = try TestBackend { connection in
                    while let request = try receiveRequest(connection) {
                        seen.requests.withLock { $0.append(request) }
                        let text = answer(request)
                        guard !text.isEmpty else { return }
                        try connection.send(text)
                    }
                }
                self.seen = seen
                self.copies = copies
                edge = try await EdgeStand(TestBackend(answering: { ok("main \($0.body.count)") }), loops: loops) {
                    $0.mirror = RouteBackend(address: "127.0.0.1:\(copies.port)", weight: percent)
                }
            }

            var count: Int { seen.requests.withLock { $0.count } }
            var measures: TargetMeasures? { edge.edge.measures()["127.0.0.1:\(copies.port)"] }

            func send(_ request: String) throws -> TestResponse {
                let client = try edge.client()
                try client.send(request)
                return try client.receiveResponse()
            }

            func stop() async {
                await edge.stop()
                copies.stop()
            }
        }

        @Test("a copy has the request's head and body, its id, and says that it is one")
        func whole() async throws {
            let stand = try await Stand()
            let body = String(repeating: "x", count: 30_000)
            let head = "Host: app.test\r\nX-A: b\r\nX-Meridian-Mirror: forged\r\nX-Request-Id: id-1\r\n"
            for framing in [
                "Content-Length: 30000\r\n\r\n\(body)",
                "Transfer-Encoding: chunked\r\n\r\n7530\r\n\(body)\r\n0\r\n\r\n",
            ] {
                #expect(try stand.send("POST /p?q HTTP/1.1\r\n\(head)\(framing)").text == "main 30000")
            }
            #expect(await eventually { stand.count == 2 })
            for copy in stand.seen.requests.withLock({ $0 }) {
                #expect(copy.method == "POST" && copy.target == "/p?q" && copy.field("x-a") == "b")
                #expect(copy.body.elementsEqual(body.utf8) && copy.field("x-request-id") == "id-1")
                #expect(copy.field("x-meridian-mirror") == "true" && copy.count("x-meridian-mirror") == 1)
                #expect(copy.field("x-forwarded-for") == "127.0.0.1")
            }
            #expect(await eventually { stand.measures?.mirrored == 2 })
            #expect(stand.measures?.mirrorsFailed == 0 && stand.measures?.answers.reduce(0, +) == 0)
            await stand.stop()
        }

        @Test("the app itself never sees that a copy was made, nor a client's word of it")
        func original() async throws {
            let seen = Seen()
            let backend = try TestBackend { connection in
                while let request = try receiveRequest(connection) {
                    seen.requests.withLock { $0.append(request) }
                    try connection.send(ok("x"))
                }
            }
            let stand = try await EdgeStand(backend)
            _ = try stand.get("/", "X-Meridian-Mirror: true\r\n")
            #expect(seen.requests.withLock { $0.first?.field("x-meridian-mirror") } == nil)
            await stand.stop()
        }

        @Test("only the share is copied")
        func share() async throws {
            let stand = try await Stand(percent: 20, loops: 1)
            let client = try stand.edge.client()
            for _ in 0..<1000 {
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().text == "main 0")
            }
            #expect(await eventually { stand.measures?.mirrored ?? 0 == stand.count })
            // 1,000 draws of 20 %: the standard deviation is 12.6, so this range is six of them to each side.
            #expect((124...276).contains(stand.count), "\(stand.count)")
            await stand.stop()
        }

        @Test("a body that is too large, said so before or found out, has no copy and passes whole")
        func largeBodies() async throws {
            let stand = try await Stand()
            let body = String(repeating: "x", count: 60_000)
            for framing in [
                "Content-Length: 60000\r\n\r\n\(body)",
                "Transfer-Encoding: chunked\r\n\r\nea60\r\n\(body)\r\n0\r\n\r\n",
            ] {
                #expect(try stand.send("POST / HTTP/1.1\r\nHost: app.test\r\n\(framing)").text == "main 60000")
            }
            #expect(try stand.send("GET /last HTTP/1.1\r\nHost: app.test\r\n\r\n").text == "main 0")
            #expect(await eventually { stand.count == 1 })
            #expect(stand.seen.requests.withLock { $0.first?.target } == "/last")
            await stand.stop()
        }

        @Test(
            "what becomes of a copy changes no answer and is counted",
            arguments: ["", "garbage\r\n\r\n", "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"]
        )
        func failures(_ answer: String) async throws {
            let stand = try await Stand(answer: { _ in answer })
            for _ in 0..<8 {
                #expect(try stand.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n").text == "main 0")
            }
            #expect(await eventually { stand.measures?.mirrorsFailed == 8 })
            #expect(stand.count == 8, "none is sent twice")
            await stand.stop()
        }

        @Test("a backend of copies that is gone, or that never answers, holds up nobody")
        func stuck() async throws {
            let slow = SlowAnswers()
            let stand = try await Stand(answer: { _ in
                slow.hold()
                return ok("late")
            })
            let client = try stand.edge.client()
            for _ in 0..<50 {
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().text == "main 0")
            }
            #expect(stand.measures?.mirrored == 0)
            slow.release()
            #expect(await eventually { stand.measures?.mirrored == 50 })
            stand.copies.stop()
            for _ in 0..<5 {
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().text == "main 0")
            }
            await stand.stop()
        }

        @Test("a client that leaves within its body takes its copy with it")
        func abandoned() async throws {
            let stand = try await Stand()
            let client = try stand.edge.client()
            try client.send("POST /half HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhalf")
            #expect(await eventually { stand.edge.inFlight == 1 })
            client.close()
            #expect(await eventually { stand.measures?.mirrorsFailed == 1 })
            #expect(stand.count == 0)
            await stand.stop()
        }

        @Test("copies under way end with the edge")
        func stopping() async throws {
            let slow = SlowAnswers()
            let stand = try await Stand(answer: { _ in
                slow.hold()
                return ok("late")
            })
            for _ in 0..<5 { _ = try stand.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n") }
            #expect(await eventually { stand.count == 5 })
            await stand.stop()
            slow.release()
        }

        @Test("a request and its copy allocate nothing on kept connections")
        func allocations() async throws {
            let stand = try await Stand(loops: 1)
            let loop = try #require(loopThread())
            let client = try stand.edge.client()
            var sent = 0
            func exchange(_ times: Int) async throws {
                for _ in 0..<times {
                    try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody")
                    #expect(try client.receiveResponse().text == "main 4")
                    sent += 1
                    // A copy that is late would need a connection and buffers beside those that are kept.
                    #expect(await eventually { stand.measures?.mirrored == sent })
                }
            }
            try await exchange(50)
            allocation_count_begin(loop)
            try await exchange(50)
            let count = allocation_count()
            allocation_count_begin(0)
            #expect(count == 0)
            await stand.stop()
        }

        @Test("streams of HTTP/2 are copied too", .enabled(if: hasTools("curl"), "curl is missing"))
        func streams() async throws {
            let stand = try await Stand()
            let port = stand.edge.port
            let words = try await blocking {
                try run("curl -s -m 10 --http2-prior-knowledge -H 'Host: app.test' -d body http://127.0.0.1:\(port)/h2")
            }
            #expect(words == "main 4")
            #expect(await eventually { stand.count == 1 })
            #expect(stand.seen.requests.withLock { $0.first?.body.count } == 4)
            await stand.stop()
        }
    }
}
