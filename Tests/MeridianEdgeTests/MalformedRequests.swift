// MalformedRequests: requests that no strict server accepts, each with the status of its refusal.

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
        BadRequest("nearly HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 505),
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
