// TLSTests: what curl and openssl see of the edge over TLS.
import Glibc
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("TLS", .enabled(if: hasTools("curl", "openssl"), "curl or openssl is missing"))
    struct TLS {
        @Test("a request over TLS reaches the app, which learns so")
        func request() async throws {
            let stand = try await SecureStand()
            let answer = try await stand.curl("https://app.test:PORT/a")
            #expect(answer == "https /a 0")
            await stand.stop()
        }

        @Test("bodies of megabytes pass both ways whole")
        func largeBodies() async throws {
            let stand = try await SecureStand()
            let made = "head -c 5000000 /dev/urandom >DIR/sent"
            let sent = "CURL --data-binary @DIR/sent -o DIR/got https://app.test:PORT/echo"
            let words = try await stand.shell("\(made); \(sent); cmp DIR/sent DIR/got && echo same")
            #expect(words == "same\n")
            await stand.stop()
        }

        @Test("each host gets its certificate, and a connection keeps the one it began with")
        func certificates() async throws {
            let stand = try await SecureStand()
            let first = try await stand.fingerprint("app.test")
            #expect(try await stand.fingerprint("other.test") != first)
            let kept = try await stand.shell(
                "CURL https://app.test:PORT/1 --next CURLOPTS https://app.test:PORT/2 -w ' %{num_connects}'"
            )
            #expect(kept == "https /1 0https /2 0 0")
            #expect(try stand.edge.setCertificates([stand.files.issue("app.test", named: "fresh")]).isEmpty)
            #expect(try await stand.fingerprint("app.test") != first)
            #expect(try await stand.curl("https://app.test:PORT/b") == "https /b 0")
            await stand.stop()
        }

        @Test("a reload drops no connection")
        func reload() async throws {
            let stand = try await SecureStand()
            let certificate = try stand.files.issue("app.test", named: "fresh")
            // The answer of /slow is held back until the certificates have changed.
            async let answer = stand.curl("https://app.test:PORT/slow")
            #expect(await eventually { stand.slow.isHolding })
            #expect(stand.edge.setCertificates([certificate]).isEmpty)
            stand.slow.release()
            #expect(try await answer == "https /slow 0")
            await stand.stop()
        }

        @Test("a session is resumed by its ticket, also after a reload", arguments: ["-tls1_2", "-tls1_3"])
        func tickets(_ version: String) async throws {
            let stand = try await SecureStand()
            let client =
                "printf 'GET / HTTP/1.1\\r\\nHost: app.test\\r\\nConnection: close\\r\\n\\r\\n'"
                + " | openssl s_client -connect 127.0.0.1:PORT -servername app.test \(version) -ign_eof"
            _ = try await stand.shell("\(client) -sess_out DIR/session >/dev/null 2>&1")
            #expect(try stand.edge.setCertificates([stand.files.issue("app.test", named: "fresh")]).isEmpty)
            let words = try await stand.shell("\(client) -sess_in DIR/session 2>/dev/null | grep -c '^Reused'")
            #expect(words == "1\n")
            await stand.stop()
        }

        @Test("a host without a certificate is refused in the handshake, unless the issuer knows it")
        func issuer() async throws {
            let files = try TestCertificates()
            let made = try files.issue("made.localhost", named: "made")
            let stand = try await SecureStand(files, issuer: { $0 == "made.localhost" ? made : nil })
            #expect(try await stand.curl("https://unknown.test:PORT/") == "")
            #expect(try await stand.curl("https://made.localhost:PORT/") == "https / 0")
            await stand.stop()
        }

        @Test("HTTP/1.1 is negotiated, and a client that knows nothing of ours is refused")
        func protocols() async throws {
            let stand = try await SecureStand()
            let client = "openssl s_client -connect 127.0.0.1:PORT -servername app.test </dev/null 2>&1"
            #expect(try await stand.shell("\(client) -alpn http/1.1 | grep -c 'ALPN protocol: http/1.1'") == "1\n")
            #expect(try await stand.shell("\(client) -alpn smtp | grep -c 'no application protocol'") == "1\n")
            await stand.stop()
        }

        @Test("a plain request to a host of TLS only is sent to https", arguments: ["/a?b=c", "/"])
        func redirect(_ target: String) async throws {
            let stand = try await SecureStand { $0.secureOnly = true }
            let client = try TestSocket(port: stand.plainPort)
            try client.send("GET \(target) HTTP/1.1\r\nHost: app.test:80\r\n\r\n")
            let response = try client.receiveResponse()
            #expect(response.status == 308)
            #expect(response.field("location") == "https://app.test:\(stand.port)\(target)")
            #expect(try await stand.curl("https://app.test:PORT/") == "https / 0")
            await stand.stop()
        }

        @Test("a key that is not the certificate's is refused by its hosts' names, and the last certificate stays")
        func badCertificate() async throws {
            let stand = try await SecureStand()
            let one = try stand.files.issue("app.test", named: "one")
            let two = try stand.files.issue("app.test", named: "two")
            for bad in [(one.chain, two.key), ("nothing", one.key), (one.chain, "nothing")] {
                let refused = stand.edge.setCertificates([
                    EdgeCertificate(hosts: ["app.test"], chain: bad.0, key: bad.1)
                ])
                #expect(refused.count == 1 && refused[0].message.contains("app.test"))
            }
            #expect(try await stand.curl("https://app.test:PORT/") == "https / 0")
            await stand.stop()
        }
    }
}

/// An edge with a plain and a secure listener in front of an app that says what it saw.
final class SecureStand: Sendable {
    let edge: Edge
    let files: TestCertificates
    let port: UInt16
    let plainPort: UInt16
    let slow = SlowAnswers()
    private let httpVersion: String
    private let backend: TestBackend

    var backendPort: UInt16 { backend.port }

    convenience init(changing change: (inout HostRoute) -> Void) async throws {
        try await self.init(TestCertificates(), changing: change)
    }

    convenience init() async throws { try await self.init(TestCertificates()) }

    init(
        _ files: TestCertificates,
        httpVersion: String = "--http1.1",
        changing change: (inout HostRoute) -> Void = { _ in },
        issuer: CertificateIssuer? = nil
    ) async throws {
        self.files = files
        self.httpVersion = httpVersion
        var configuration = EdgeConfiguration(
            listen: [EdgeAddress(host: "127.0.0.1", port: 0)],
            loops: 2,
            region: "fra"
        )
        configuration.secureListen = [EdgeAddress(host: "127.0.0.1", port: 0)]
        configuration.issuer = issuer
        edge = Edge(configuration) { _ in }
        let addresses = try edge.start()
        (plainPort, port) = (addresses[0].port, addresses[1].port)
        let refused = try edge.setCertificates([
            files.issue("app.test", named: "app"), files.issue("other.test", named: "other"),
        ])
        #expect(refused.isEmpty)
        let waiting = slow
        backend = try TestBackend { connection in
            while let request = try receiveRequest(connection) {
                if request.target == "/slow" { waiting.hold() }
                let seen = "\(request.field("x-forwarded-proto") ?? "") \(request.target) \(request.body.count)"
                switch request.target {
                case "/echo":
                    try connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(request.body.count)\r\n\r\n")
                    try connection.send(request.body)
                case "/trailers":
                    let fields = "transfer-encoding: chunked\r\nTrailer: X-Sum"
                    try connection.send("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n")
                case "/close":
                    try connection.send("HTTP/1.1 200 OK\r\n\r\n\(seen)")
                    return
                case "/hints":
                    try connection.send("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n" + ok(seen))
                default: try connection.send(ok(seen, "x-method: \(request.method)\r\n"))
                }
            }
        }
        let hosts = ["app.test", "made.localhost", "other.test", "unknown.test"].map { name in
            var host = EdgeStand.host(name)
            change(&host)
            return host
        }
        try await edge.apply(RouteTable(number: 1, hosts: hosts))
        await edge.setRunners(
            EdgeStand.revision,
            [RunnerEndpoint(id: "app", networkNamespace: -1, port: backend.port)],
            concurrencyMax: 100
        )
    }

    /// The body that curl gets; empty where it fails.
    func curl(_ url: String) async throws -> String { try await shell("CURL '\(url)'") }

    /// The output of a command in which CURL, DIR and PORT are filled in.
    func shell(_ command: String) async throws -> String {
        let hosts = ["app.test", "made.localhost", "other.test", "unknown.test"]
        let places = hosts.map { "--resolve \($0):\(port):127.0.0.1" }.joined(separator: " ")
        let options = "-s -m 10 \(httpVersion) --cacert '\(files.authority)' \(places)"
        let filled = Self.replaced(
            command,
            [
                ("CURLOPTS", options), ("CURL", "curl \(options)"), ("DIR", files.directory), ("PORT", "\(port)"),
                ("PLAIN", "\(plainPort)"),
            ]
        )
        return try await blocking { try run(filled) }
    }

    func fingerprint(_ host: String) async throws -> String {
        try await shell(
            "openssl s_client -connect 127.0.0.1:PORT -servername \(host) </dev/null 2>/dev/null"
                + " | openssl x509 -noout -fingerprint"
        )
    }

    func stop() async {
        await edge.stop()
        backend.stop()
    }

    private static func replaced(_ text: String, _ words: [(String, String)]) -> String {
        var text = text
        for (word, value) in words {
            while let range = text.firstRange(of: word) { text.replaceSubrange(range, with: value) }
        }
        return text
    }
}

/// Holds the answers of a backend back until they are released.
final class SlowAnswers: Sendable {
    private let state = Mutex((held: false, released: false))

    var isHolding: Bool { state.withLock { $0.held } }

    func release() { state.withLock { $0.released = true } }

    /// Returns once released; ten seconds at most.
    func hold() {
        state.withLock { $0.held = true }
        for _ in 0..<10_000 {
            if state.withLock({ $0.released }) { return }
            usleep(1000)
        }
    }
}
