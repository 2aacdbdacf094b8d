// HeadTests: which requests are refused and how, over the wire and into the parser.
import Glibc
import MeridianModel
import Synchronization
import Testing

@testable import MeridianEdge

/// A request that no strict server accepts.
struct BadRequest: CustomStringConvertible {
    let name: String
    let text: String
    let status: Int

    init(_ name: String, _ text: String, _ status: Int = 400) {
        self.name = name
        self.text = text
        self.status = status
    }

    var description: String { name }

    /// A request that is right but for `fields`.
    static func fields(_ name: String, _ fields: String, _ status: Int = 400, method: String = "POST") -> BadRequest {
        BadRequest(name, "\(method) / HTTP/1.1\r\nHost: app.test\r\n\(fields)\r\n\r\n", status)
    }

    static func line(_ name: String, _ line: String, _ status: Int = 400) -> BadRequest {
        BadRequest(name, "\(line)\r\nHost: app.test\r\n\r\n", status)
    }

    static func chunks(_ name: String, _ body: String) -> BadRequest {
        BadRequest(name, "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
    }

    static let requestLines = [
        line("no version", "GET /"), line("two spaces", "GET  / HTTP/1.1"),
        line("space in target", "GET /a b HTTP/1.1"),
        line("space behind version", "GET / HTTP/1.1 "), line("tab", "GET\t/ HTTP/1.1"),
        line("leading space", " GET / HTTP/1.1"),
        line("no method", "/ HTTP/1.1"), line("method with bracket", "G[T / HTTP/1.1"),
        line("method with control", "GE\u{1}T / HTTP/1.1"),
        line("method too long", String(repeating: "A", count: 33) + " / HTTP/1.1"),
        line("version 0.9", "GET / HTTP/0.9", 505),
        line("version 1.2", "GET / HTTP/1.2", 505), line("version 2.0", "GET / HTTP/2.0", 505),
        line("version 11", "GET / HTTP/11"), line("version 1.10", "GET / HTTP/1.10"),
        line("lower-case http", "GET / http/1.1"),
        line("other protocol", "GET / ICAP/1.1"), line("control in target", "GET /\u{1} HTTP/1.1"),
        line("delete in target", "GET /\u{7F} HTTP/1.1"), line("raw UTF-8 in target", "GET /ä HTTP/1.1"),
        line("relative target", "GET a HTTP/1.1"), line("asterisk without OPTIONS", "GET * HTTP/1.1"),
        line("ftp target", "GET ftp://app.test/ HTTP/1.1"),
        line("user in authority", "GET http://u@app.test/ HTTP/1.1"),
        line("empty authority", "GET http:///x HTTP/1.1"), line("CONNECT", "CONNECT app.test:80 HTTP/1.1", 405),
        line("target too long", "GET /" + String(repeating: "a", count: 8200) + " HTTP/1.1", 414),
        BadRequest("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        BadRequest("TLS", "\u{16}\u{3}\u{1}\n\r\n\r\n"),
    ]

    static let fieldLines = [
        BadRequest("no host", "GET / HTTP/1.1\r\n\r\n"), fields("two hosts", "Host: app.test"),
        BadRequest("path in host", "GET / HTTP/1.1\r\nHost: app.test/x\r\n\r\n"),
        BadRequest("user in host", "GET / HTTP/1.1\r\nHost: a@app.test\r\n\r\n"),
        BadRequest("two hosts in one", "GET / HTTP/1.1\r\nHost: app.test other.test\r\n\r\n"),
        fields("space before colon", "A : b"), fields("tab before colon", "A\t: b"), fields("no colon", "A"),
        fields("empty name", ": b"), fields("name with space", "A b: c"), fields("name with bracket", "A(b): c"),
        fields("name with UTF-8", "Ä: c"), fields("name with NUL", "A\u{0}: c"), fields("value with NUL", "A: b\u{0}c"),
        fields("value with control", "A: b\u{8}c"), fields("value with delete", "A: \u{7F}"),
        fields("value with bare CR", "A: b\rC: d"),
        fields("value with long run and control", "A: 0123456789abcdef\u{1}"),
        fields("folded", "A: b\r\n c"), fields("folded by tab", "A: b\r\n\tc"),
        BadRequest("fold first", "GET / HTTP/1.1\r\n Host: app.test\r\n\r\n"),
        BadRequest("bare LF after line", "GET / HTTP/1.1\nHost: app.test\r\n\r\n"),
        BadRequest("bare LF after field", "GET / HTTP/1.1\r\nHost: app.test\n\r\n"),
        BadRequest("bare LF at end", "GET / HTTP/1.1\r\nHost: app.test\r\n\n"),
        BadRequest("CR CR LF", "GET / HTTP/1.1\r\r\nHost: app.test\r\n\r\n"),
        fields("unknown expectation", "Expect: 200-ok", 417), fields("bad Connection", "Connection: a b, (c)"),
        fields("too many connection tokens", "Connection: " + (0..<20).map { "a\($0)" }.joined(separator: ",")),
        fields("too many fields", (0..<130).map { "A\($0): b" }.joined(separator: "\r\n"), 431),
        fields(
            "too large",
            (0..<5).map { "A\($0): " + String(repeating: "b", count: 4000) }.joined(separator: "\r\n"),
            431
        ),
        BadRequest("endless field", "GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: 40_000), 431),
    ]

    static let framing = [
        fields("length and chunked", "Content-Length: 3\r\nTransfer-Encoding: chunked"),
        fields("chunked and length", "Transfer-Encoding: chunked\r\nContent-Length: 3"),
        fields("differing lengths", "Content-Length: 3\r\nContent-Length: 4"),
        fields("equal lengths twice", "Content-Length: 3\r\nContent-Length: 3"),
        fields("length list", "Content-Length: 3, 3"),
        fields("signed length", "Content-Length: +3"), fields("negative length", "Content-Length: -3"),
        fields("hexadecimal length", "Content-Length: 0x3"), fields("length with space", "Content-Length: 1 2"),
        fields("empty length", "Content-Length:"), fields("fraction", "Content-Length: 3.0"),
        fields("length beyond 63 bits", "Content-Length: 9999999999999999999"),
        fields("unknown coding", "Transfer-Encoding: xchunked"), fields("gzip", "Transfer-Encoding: gzip"),
        fields("gzip, chunked", "Transfer-Encoding: gzip, chunked", 501),
        fields("identity", "Transfer-Encoding: identity"),
        fields("chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        fields("chunked, chunked", "Transfer-Encoding: chunked, chunked"),
        fields("chunked, identity", "Transfer-Encoding: chunked, identity"),
        fields("quoted chunked", "Transfer-Encoding: \"chunked\""),
        fields("vertical tab", "Transfer-Encoding: \u{B}chunked"),
        fields("empty coding", "Transfer-Encoding:"),
        BadRequest(
            "chunked in 1.0",
            "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        chunks("no size", "\r\n\r\n"), chunks("not hexadecimal", "g\r\n"), chunks("0x size", "0x1\r\na\r\n"),
        chunks("signed size", "+1\r\na\r\n"), chunks("space before size", " 1\r\na\r\n"),
        chunks("space after size", "1 \r\na\r\n"),
        chunks("size too long", "0000000000000001\r\na\r\n"), chunks("bare LF after size", "1\na\r\n"),
        chunks("bare CR after size", "1\ra\r\n"), chunks("data too long", "1\r\nab\r\n"),
        chunks("bare LF after data", "1\r\na\n"),
        chunks("control in extension", "1;a\u{1}\r\na\r\n"), chunks("LF in extension", "1;a\nb\r\na\r\n"),
        chunks("endless extension", "1;" + String(repeating: "a", count: 20_000)),
        chunks("trailer without colon", "0\r\nab\r\n\r\n"), chunks("folded trailer", "0\r\nA: b\r\n c\r\n\r\n"),
        chunks("bare LF after trailers", "0\r\nA: b\n\r\n"), chunks("trailer with space", "0\r\nA : b\r\n\r\n"),
    ]
}

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

@Suite("The parsers under random input")
struct ParserFuzzTests {
    @Test("a mutated head is parsed, refused or incomplete, and offsets stay within it")
    func heads() {
        let seeds = [
            "GET /a?b HTTP/1.1\r\nHost: app.test\r\nCookie: a=b; c=d\r\nConnection: close, x\r\nX: y\r\n\r\n",
            "POST http://a.b:80/ HTTP/1.0\r\nHost: x\r\nContent-Length: 12\r\nX-Request-ID: 1\r\nExpect: 100-continue\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        ].map { Array($0.utf8) }
        var random = RandomSource(seed: 20_260_403)
        var head = RequestHead()
        var response = ResponseHead()
        defer {
            head.fields.deallocate()
            response.fields.deallocate()
        }
        var complete = 0
        for round in 0..<30_000 {
            var bytes = mutated(seeds[round % seeds.count], &random)
            let count = bytes.count
            bytes.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                if let progress = try? head.parse(base, count, targetBytesMax: 64), progress == .complete {
                    complete += 1
                    #expect(
                        head.length <= count && head.path.upperBound <= head.length
                            && head.host.upperBound <= head.length
                    )
                    for index in 0..<head.fields.count { #expect(Int(head.fields.spans[index].lineEnd) <= head.length) }
                }
                _ = try? response.parse(base, count, isHead: false)
            }
        }
        #expect(complete > 1000)
    }

    @Test("chunks give the same body however they are cut, checked or taken apart")
    func chunks() {
        var random = RandomSource(seed: 11)
        for _ in 0..<2000 {
            var body: [UInt8] = []
            var wire: [UInt8] = []
            for _ in 0..<Int(random.next() % 5) {
                let data = (0..<Int(1 + random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                body += data
                wire += Array("\(String(data.count, radix: 16));e=1\r\n".utf8) + data + [13, 10]
            }
            wire += Array("0\r\nA: b\r\n\r\n".utf8)
            let rest = Array("GET /".utf8)
            var checker = BodyTracker(.chunked)
            var decoder = BodyTracker(.chunked)
            var decoded: [UInt8] = []
            var taken = 0
            var offset = 0
            let all = wire + rest
            while offset < all.count {
                var piece = Array(all[offset..<min(all.count, offset + Int(1 + random.next() % 20))])
                let count = piece.count
                offset += count
                piece.withUnsafeMutableBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    taken += checker.consume(base, count)
                    let produced = decoder.decode(base, count).produced
                    decoded += buffer.prefix(produced)
                }
            }
            #expect(taken == wire.count && checker.isDone && decoder.isDone && decoded == body)
        }
    }

    @Test("random chunk framing never claims more bytes than there are")
    func chunkNoise() {
        var random = RandomSource(seed: 12)
        let alphabet = Array("0123fF;\r\n\r\n: aA\u{1}".utf8)
        for _ in 0..<20_000 {
            var bytes = (0..<Int(random.next() % 40)).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            let count = bytes.count
            bytes.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                var tracker = BodyTracker(.chunked)
                #expect(tracker.consume(base, count) <= count)
            }
        }
    }

    private func mutated(_ seed: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int(random.next() % 4) {
            let position = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 4 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: position)
            case 2: bytes.insert([13, 10, 0, 32, 58, 44][Int(random.next() % 6)], at: position)
            default: bytes.removeLast(Int(random.next() % UInt64(bytes.count)))
            }
            if bytes.isEmpty { return [13] }
        }
        return bytes
    }
}

/// The request inputs of the llhttp corpus: fenced blocks marked `http`, with its escapes written out.
private func llhttpInputs() -> [[UInt8]] {
    guard let file = realpath(#filePath, nil) else { return [] }
    defer { free(file) }
    let root = String(cString: file).split(separator: "/").dropLast(3).joined(separator: "/")
    let folder = "/\(root)/../shared/corpora/llhttp/test/request"
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var inputs: [[UInt8]] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasSuffix(".md") { inputs += fencedBlocks(readText("\(folder)/\(name)")) }
    }
    return inputs
}

private func readText(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}

private func fencedBlocks(_ text: String) -> [[UInt8]] {
    var blocks: [[UInt8]] = []
    var lines: [Substring]?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```http") {
            lines = []
        } else if line.hasPrefix("```"), let block = lines {
            // In the corpus a line end stands for CR LF, and \r, \n and \t are written out.
            let joined = block.joined(separator: "\r\n").replacing("\\r", with: "\r").replacing("\\n", with: "\n")
            blocks.append(Array(joined.replacing("\\t", with: "\t").utf8))
            lines = nil
        } else {
            lines?.append(line)
        }
    }
    return blocks
}
