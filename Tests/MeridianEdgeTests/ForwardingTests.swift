// ForwardingTests: what an app and a client see of each other through the edge.
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Forwarding")
    struct Forwarding {
        @Test("an app sees the request with the edge's fields and without those of one connection")
        func requestFields() async throws {
            let seen = Seen()
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    seen.requests.withLock { $0.append(request) }
                    return ok("hi")
                })
            )
            let client = try stand.client()
            try client.send(
                "GET /a?b=c HTTP/1.1\r\nHost: App.Test:80\r\nAccept: */*\r\nConnection: keep-alive, X-Private\r\n"
                    + "X-Private: 1\r\nKeep-Alive: 3\r\nTE: trailers\r\nProxy: evil\r\nX-Forwarded-For: 9.9.9.9\r\n"
                    + "X-Forwarded-Proto: https\r\nX-Request-ID: abc-1\r\nCookie: a=b\r\n\r\n"
            )
            let response = try client.receiveResponse()
            #expect(response.status == 200 && response.text == "hi")
            #expect(response.field("x-request-id") == "abc-1")
            #expect(response.field("x-meridian-temperature") == "hot")
            #expect(response.field("x-globe-temperature") == "hot")
            #expect(response.field("x-meridian-revision") == "app-00001")
            #expect(response.field("x-meridian-region") == "fra")
            let request = try #require(seen.requests.withLock { $0.first })
            #expect(request.method == "GET" && request.target == "/a?b=c")
            #expect(request.field("host") == "App.Test:80" && request.count("host") == 1)
            #expect(request.field("accept") == "*/*" && request.field("cookie") == "a=b")
            for name in ["x-private", "keep-alive", "te", "proxy", "connection"] {
                #expect(request.field(name) == nil, "\(name)")
            }
            #expect(request.field("x-forwarded-for") == "9.9.9.9, 127.0.0.1")
            #expect(request.field("x-forwarded-proto") == "http" && request.count("x-forwarded-proto") == 1)
            #expect(request.field("x-forwarded-host") == "App.Test:80")
            #expect(request.field("x-request-id") == "abc-1" && request.field("x-globe-request-id") == "abc-1")
            await stand.stop()
        }

        @Test("an invalid request id is replaced")
        func requestID() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.field("x-request-id") ?? "none") }))
            for bad in ["a b", String(repeating: "x", count: 65), "<script>"] {
                let response = try stand.get("/", "x-request-id: \(bad)\r\n")
                #expect(response.text.count == 32 && response.field("x-request-id") == response.text)
            }
            await stand.stop()
        }

        @Test("the app cannot send the edge's own fields, nor fields of one connection")
        func responseFields() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in
                    ok(
                        "x",
                        "x-meridian-temperature: lava\r\nx-globe-temperature: lava\r\n"
                            + "x-request-id: y\r\nx-meridian-region: z\r\n"
                            + "x-meridian-revision: w\r\nConnection: x-secret\r\nx-secret: 1\r\nKeep-Alive: 5\r\nx-kept: 1\r\n"
                    )
                })
            )
            let response = try stand.get()
            #expect(response.fields.count { $0.name == "x-meridian-temperature" } == 1)
            #expect(response.field("x-meridian-temperature") == "hot" && response.field("x-globe-temperature") == "hot")
            #expect(
                response.field("x-meridian-region") == "fra" && response.field("x-meridian-revision") == "app-00001"
            )
            #expect(response.field("x-secret") == nil && response.field("keep-alive") == nil)
            #expect(response.field("x-kept") == "1")
            await stand.stop()
        }

        @Test("connections are kept on both sides")
        func keepAlive() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.target) }), loops: 1)
            let client = try stand.client()
            for index in 0..<50 {
                try client.send("GET /\(index) HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().text == "/\(index)")
            }
            #expect(stand.backend.connectionCount == 1)
            #expect(stand.edge.load().runners.values.first?.requests == 50)
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("pipelined requests are answered in order, the edge's own answers among them")
        func pipelining() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: { ok($0.target + String(decoding: $0.body, as: UTF8.self)) })
            )
            let client = try stand.client()
            var text = ""
            for index in 0..<200 {
                text +=
                    index % 5 == 4
                    ? "GET /\(index) HTTP/1.1\r\nHost: nobody.test\r\n\r\n"
                    : "POST /\(index) HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nok"
            }
            try client.send(text)
            for index in 0..<200 {
                let response = try client.receiveResponse()
                if index % 5 == 4 { #expect(response.status == 404) } else { #expect(response.text == "/\(index)ok") }
            }
            await stand.stop()
        }

        @Test("HEAD, 204 and 304 have no body and keep the connection in step")
        func bodiless() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    switch request.target {
                    case "/204": "HTTP/1.1 204 No Content\r\n\r\n"
                    case "/304": "HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\n"
                    default: request.method == "HEAD" ? "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n" : ok("end")
                    }
                }),
                loops: 1
            )
            let client = try stand.client()
            try client.send("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(try client.receiveResponse(toHead: true).field("content-length") == "99")
            for (target, status) in [("/204", 204), ("/304", 304)] {
                try client.send("GET \(target) HTTP/1.1\r\nHost: app.test\r\n\r\n")
                #expect(try client.receiveResponse().status == status)
            }
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(try client.receiveResponse().text == "end")
            #expect(stand.backend.connectionCount == 1)
            await stand.stop()
        }

        @Test("chunks and trailers pass in both directions")
        func chunks() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\n"
                        + String(decoding: request.body.prefix(3), as: UTF8.self)
                        + "\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"
                }),
                loops: 1
            )
            let client = try stand.client()
            for _ in 0..<3 {
                try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n")
                try client.send("2\r\nab\r\n1;ext\r\nc\r\n0\r\nX-T: 1\r\n\r\n")
                let response = try client.receiveResponse()
                #expect(response.text == "abcok" && response.trailers == "X-Sum: 7\r\n")
            }
            #expect(stand.backend.connectionCount == 1)
            await stand.stop()
        }

        @Test("an HTTP/1.0 client gets a chunked body unchunked, up to the end of the connection")
        func version10() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
                })
            )
            let client = try stand.client()
            try client.send("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n")
            let response = try client.receiveResponse()
            #expect(response.text == "abcde" && response.field("connection") == "close")
            #expect(response.field("transfer-encoding") == nil)
            await stand.stop()
        }

        @Test("a body that ends with the app's connection ends with the client's")
        func untilClose() async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    _ = try receiveRequest(connection)
                    try connection.send("HTTP/1.0 200 OK\r\n\r\nall of it")
                }
            )
            let response = try stand.get()
            #expect(response.text == "all of it" && response.field("connection") == "close")
            await stand.stop()
        }

        @Test("1xx answers come first, and the edge answers Expect itself")
        func informational() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: {
                    "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + ok($0.field("expect") ?? "none")
                })
            )
            let client = try stand.client()
            try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
            #expect(try client.receiveResponse().status == 100)
            try client.send("x")
            let hints = try client.receiveResponse()
            #expect(hints.status == 103 && hints.field("link") == "</a>")
            #expect(try client.receiveResponse().text == "none")
            await stand.stop()
        }

        @Test("after 101 bytes flow both ways and count as in flight, and each end is passed on")
        func tunnel() async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    guard let request = try receiveRequest(connection), request.field("upgrade") == "websocket" else {
                        return
                    }
                    try connection.send(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhello"
                    )
                    while true {
                        let bytes = try connection.receive()
                        if bytes.isEmpty { break }
                        try connection.send(bytes)
                    }
                    try connection.send("bye")
                }
            )
            let client = try stand.client()
            try client.send(
                "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly"
            )
            let response = try client.receiveResponse()
            #expect(response.status == 101 && response.field("upgrade") == "websocket")
            #expect(try client.receive(exactly: 10) == Array("helloearly".utf8))
            #expect(stand.inFlight == 1)
            let large = [UInt8](repeating: 7, count: 300_000)
            onThread { try? client.send(large) }
            #expect(try client.receive(exactly: large.count) == large)
            client.shutWriting()
            #expect(client.receiveAll() == Array("bye".utf8))
            #expect(await eventually { stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("an absolute target names the host, and the app gets the path")
        func absoluteTarget() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.target + " " + ($0.field("host") ?? "")) }))
            let client = try stand.client()
            for (target, path) in [
                ("http://app.test/x?y", "/x?y"), ("http://app.test", "/"), ("http://app.test?q", "/?q"),
            ] {
                try client.send("GET \(target) HTTP/1.1\r\nHost: other.test\r\n\r\n")
                #expect(try client.receiveResponse().text == "\(path) app.test")
            }
            await stand.stop()
        }

        @Test("a sticky client is told its backend and stays with it")
        func sticky() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") })) { host in
                host.stickyCookie = "mrd-variant"
                host.backends = [
                    RouteBackend(revision: EdgeStand.revision, weight: 50),
                    RouteBackend(revision: "default/app-00002", weight: 50),
                ]
            }
            let port = stand.backend.port
            let endpoint = RunnerEndpoint(id: "two", networkNamespace: -1, port: port)
            await stand.edge.setRunners("default/app-00002", [endpoint], concurrencyMax: 10)
            let first = try stand.get()
            let cookie = try #require(first.field("set-cookie"))
            let revision = try #require(first.field("x-meridian-revision"))
            #expect(cookie.hasPrefix("mrd-variant=\(revision); Path=/; Max-Age=3600"))
            for _ in 0..<20 {
                let next = try stand.get("/", "Cookie: x=y; mrd-variant=\(revision)\r\n")
                #expect(next.field("x-meridian-revision") == revision && next.field("set-cookie") == nil)
            }
            await stand.stop()
        }

        @Test("an address backend is reached and has no revision")
        func address() async throws {
            let backend = try TestBackend(answering: { _ in ok("outside") })
            let stand = try await EdgeStand(backend, hasRunner: false) { host in
                host.backends = [RouteBackend(address: "127.0.0.1:\(backend.port)", weight: 100)]
            }
            let response = try stand.get()
            #expect(response.text == "outside" && response.field("x-meridian-revision") == nil)
            await stand.stop()
        }
    }
}
