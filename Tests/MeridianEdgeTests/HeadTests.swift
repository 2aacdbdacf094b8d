// HeadTests: which requests are refused and how.
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Requests that are refused")
    struct Refused {
        @Test("malformed and smuggling requests get their status, the connection ends, and no app sees them")
        func table() async throws {
            let seen = Seen()
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    seen.requests.withLock { $0.append(request) }
                    return ok("x")
                }),
                loops: 1
            )
            let cases = BadRequest.requestLines + BadRequest.fieldLines + BadRequest.framing
            #expect(cases.count >= 60)
            for bad in cases {
                let client = try stand.client()
                // A second request rides behind: it must not be answered either.
                try client.send(bad.text + "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n")
                let response = try client.receiveResponse()
                #expect(response.status == bad.status, "\(bad)")
                #expect(response.field("connection") == "close" && response.text.hasPrefix("meridian: "), "\(bad)")
                #expect(client.receiveAll().isEmpty, "\(bad)")
            }
            #expect(seen.requests.withLock { $0.map(\.target) } == [])
            #expect(await eventually { stand.inFlight == 0 && stand.edge.load().connections == 0 })
            await stand.stop()
        }

        @Test("unusual but valid requests pass")
        func valid() async throws {
            let stand = try await EdgeStand(
                TestBackend(answering: {
                    ok($0.method + " " + $0.target + " " + String(decoding: $0.body, as: UTF8.self))
                })
            )
            let cases = [
                ("OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n", "OPTIONS * "),
                ("\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n", "GET / "),
                ("GET / HTTP/1.0\r\nhost:app.test\r\n\r\n", "GET / "),
                ("M-SEARCH / HTTP/1.1\r\nHOST:\tapp.test \t\r\n\r\n", "M-SEARCH / "),
                ("GET /?%zz'\"<>{}|\\^` HTTP/1.1\r\nHost: app.test\r\nA:\r\nB: ä\tö\r\n\r\n", "GET /?%zz'\"<>{}|\\^` "),
                ("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 003\r\n\r\nabc", "POST / abc"),
                (
                    "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: CHUNKED\r\n\r\n00003;a=\"b\"\r\nabc\r\n0\r\nT: 1\r\n\r\n",
                    "POST / abc"
                ),
                ("GET / HTTP/1.1\r\nHost: app.test\r\nConnection:, ,close,\r\n\r\n", "GET / "),
            ]
            for (text, expected) in cases {
                let client = try stand.client()
                try client.send(text)
                #expect(try client.receiveResponse().text == expected, "\(text)")
            }
            await stand.stop()
        }

        @Test("a head that comes byte by byte is understood")
        func byteByByte() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { ok($0.target) }))
            let client = try stand.client()
            for byte in Array("GET /slow HTTP/1.1\r\nHost: app.test\r\nA: b\r\n\r\n".utf8) { try client.send([byte]) }
            #expect(try client.receiveResponse().text == "/slow")
            await stand.stop()
        }

        @Test("the llhttp corpus breaks nothing: every input is answered or its connection ends")
        func corpus() async throws {
            let inputs = llhttpInputs()
            guard !inputs.isEmpty else {
                print("skipped: the llhttp corpus is not at ../shared/corpora/llhttp")
                return
            }
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("x") }))
            for input in inputs {
                let client = try stand.client()
                try client.send(input)
                client.shutWriting()
                _ = client.receiveAll()
            }
            #expect(await eventually { stand.inFlight == 0 && stand.edge.load().connections == 0 })
            #expect(try stand.get().status == 200)
            await stand.stop()
        }
    }
}
