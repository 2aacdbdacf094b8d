// H2Tests: what curl, nghttp and h2load see of the edge over HTTP/2.
import Glibc
import MeridianEdge
import MeridianModel
import Testing

extension EdgeTests {
    @Suite(
        "HTTP/2",
        .enabled(if: hasTools("curl", "openssl", "nghttp", "h2load"), "curl, openssl or nghttp2 is missing")
    )
    struct H2 {
        private func stand(_ version: String = "--http2") async throws -> SecureStand {
            try await SecureStand(TestCertificates(), httpVersion: version)
        }

        @Test("a request over TLS is negotiated as HTTP/2 and reaches the app as HTTP/1.1")
        func overTLS() async throws {
            let stand = try await stand()
            #expect(try await stand.shell("CURL https://app.test:PORT/a -w ' %{http_version}'") == "https /a 0 2")
            await stand.stop()
        }

        @Test("a plain connection that begins with the preface is HTTP/2")
        func priorKnowledge() async throws {
            let stand = try await stand("--http2-prior-knowledge")
            let words = try await stand.shell("CURL -H 'Host: app.test' http://127.0.0.1:PLAIN/b -w ' %{http_version}'")
            #expect(words == "http /b 0 2")
            await stand.stop()
        }

        @Test(
            "large bodies pass both ways whole, with and without a length",
            arguments: ["--data-binary @DIR/sent", "-T - -X POST <DIR/sent"]
        )
        func largeBodies(_ upload: String) async throws {
            let stand = try await stand()
            let words = try await stand.shell(
                "head -c 600000 /dev/urandom >DIR/sent; CURL -o DIR/got https://app.test:PORT/echo \(upload);"
                    + " cmp DIR/sent DIR/got && echo same"
            )
            #expect(words == "same\n")
            await stand.stop()
        }

        @Test("trailers, early hints, HEAD and answers that end with the connection arrive")
        func kindsOfAnswers() async throws {
            let stand = try await stand()
            let trailers = try await stand.shell("nghttp -nv https://127.0.0.1:PORT/trailers -H ':authority: app.test'")
            #expect(trailers.contains("x-sum: 6"))
            let hints = try await stand.shell("CURL -i https://app.test:PORT/hints")
            #expect(hints.contains("HTTP/2 103") && hints.contains("link: </a.css>"))
            #expect(hints.contains("HTTP/2 200") && hints.hasSuffix("https /hints 0"))
            let head = try await stand.shell("CURL -I https://app.test:PORT/a")
            #expect(head.contains("x-method: HEAD") && head.contains("content-length: 10"))
            #expect(try await stand.curl("https://app.test:PORT/close") == "https /close 0")
            await stand.stop()
        }

        @Test("an answer of the edge's own arrives, and the connection goes on")
        func ownAnswers() async throws {
            let stand = try await stand()
            let words = try await stand.shell(
                "CURL -H 'Host: nobody.test' https://app.test:PORT/ -o DIR/a -w '%{http_code} '"
                    + " --next CURLOPTS https://app.test:PORT/b -w ' %{num_connects}'"
            )
            #expect(words == "404 https /b 0 0")
            await stand.stop()
        }

        @Test("thousands of requests on many streams all succeed", arguments: ["https", "http"])
        func manyStreams(_ scheme: String) async throws {
            let stand = try await stand()
            let port = scheme == "https" ? "PORT" : "PLAIN"
            let words = try await stand.shell(
                "h2load -n 3000 -c 4 -m 25 \(scheme)://127.0.0.1:\(port)/x -H ':authority: app.test' 2>&1"
            )
            #expect(words.contains("3000 succeeded, 0 failed, 0 errored"), "\(words)")
            #expect(words.contains("3000 2xx"))
            #expect(await eventually { stand.edge.load().connections == 0 })
            #expect(stand.edge.load().runners.values.allSatisfy { $0.inFlight == 0 })
            await stand.stop()
        }

        @Test("a drain lets streams end and sends the client elsewhere")
        func drain() async throws {
            let stand = try await stand()
            async let answer = stand.curl("https://app.test:PORT/slow")
            #expect(await eventually { stand.slow.isHolding })
            async let drained: Void = stand.edge.drain(within: .seconds(5))
            stand.slow.release()
            #expect(try await answer == "https /slow 0")
            await drained
            #expect(stand.edge.load().connections == 0)
            await stand.stop()
        }
    }
}
