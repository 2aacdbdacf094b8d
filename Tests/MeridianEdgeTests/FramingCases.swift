// FramingCases: requests whose boundaries a careless router and its app might see differently.

/// Bytes of a client, and what must become of them.
struct FramingCase: CustomStringConvertible, Sendable {
    enum Outcome: Sendable, Equatable {
        /// The edge answers with an error and closes; no app sees anything of it.
        case refused
        /// The app sees exactly these requests, as `TARGET` or `TARGET BODY`.
        case seen([String])
    }

    let name: String
    let bytes: String
    let outcome: Outcome

    var description: String { name }

    /// A POST whose head ends in `fields`, each line with its end, and then `body`.
    static func post(_ name: String, _ fields: String, _ body: String, _ outcome: Outcome) -> FramingCase {
        FramingCase(name: name, bytes: "POST /a HTTP/1.1\r\nHost: app.test\r\n\(fields)\r\n\(body)", outcome: outcome)
    }

    static var all: [FramingCase] {
        codings + lengths + sizes + connectionFields + versions + pipelines + lineEnds + names
    }

    /// What a router that reads the head another way than the app takes for a request of its own.
    static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n"

    // MARK: Transfer-Encoding

    /// Ways to write the coding so that one side sees it and the other does not; each alone and beside a length.
    static let codings: [FramingCase] =
        [
            "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked",
            "\tTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked",
            "X: y\r\r\nTransfer-Encoding: chunked", "Transfer-Encoding\r\n: chunked", "Transfer-Encoding:\r\n chunked",
            "Transfer-Encoding:\n chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx",
            "Transfer-Encoding: x chunked", "Transfer-Encoding: chunked x", "Transfer-Encoding: 'chunked'",
            "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunk", "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: gzip", "Transfer-Encoding:", "Transfer-Encoding: \u{B}chunked",
            "Transfer-Encoding: \u{C}chunked", "Transfer-Encoding: chunked\u{0}", "Transfer-Encoding: \u{0}chunked",
            "Transfer-Encoding\u{0}: chunked", "Transfer-Encoding: chunked\u{B}", "Transfer-Encoding: chunked\u{7F}",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked\r\ntransfer-encoding: x", "Transfer-Encoding: \u{A0}chunked",
        ].flatMap { line in
            [
                post("alone: \(line.debugDescription)", "\(line)\r\n", "0\r\n\r\n\(smuggled)", .refused),
                post(
                    "with a length: \(line.debugDescription)",
                    "Content-Length: 4\r\n\(line)\r\n",
                    "0\r\n\r\n",
                    .refused
                ),
                post(
                    "before a length: \(line.debugDescription)",
                    "\(line)\r\nContent-Length: 4\r\n",
                    "0\r\n\r\n",
                    .refused
                ),
            ]
        }
        + [
            "Transfer-Encoding: chunked", "transfer-encoding: CHUNKED", "TRANSFER-ENCODING:chunked",
            "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked \t", "Transfer-Encoding:    chunked",
        ].map { line in
            post("accepted: \(line.debugDescription)", "\(line)\r\n", "3\r\nabc\r\n0\r\n\r\n", .seen(["/a abc"]))
        }

    // MARK: Content-Length

    static let lengths: [FramingCase] =
        [
            "+3", "-3", "3.0", "3,3", "3, 3", "3 3", "0x3", "3\u{0}", "\u{0}3", "3\u{B}", "\u{B}3", "3a", "a3", "٣",
            "1e1",
            "9223372036854775808", "18446744073709551619", "99999999999999999999999999", "", "3;", "\"3\"", "³",
        ].map { value in
            post("length \(value.debugDescription)", "Content-Length: \(value)\r\n", "abc\(smuggled)", .refused)
        } + [
            post("two lengths", "Content-Length: 3\r\nContent-Length: 0\r\n", "abc", .refused),
            post("equal lengths", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc", .refused),
            post("a length in another case", "Content-Length: 0\r\ncontent-LENGTH: 3\r\n", "abc", .refused),
            post("a space before its colon", "Content-Length : 3\r\n", "abc", .refused),
            post("a length that is folded", "Content-Length:\r\n 3\r\n", "abc", .refused),
            post("a length behind a bare line feed", "X: y\nContent-Length: 3\r\n", "abc", .refused),
            post("a length", "Content-Length: 3\r\n", "abc", .seen(["/a abc"])),
            post("a length with blanks", "Content-Length: \t 3 \t\r\n", "abc", .seen(["/a abc"])),
            post("a length with zeros", "Content-Length: 0003\r\n", "abc", .seen(["/a abc"])),
            post("a length of zero", "Content-Length: 0\r\n", "", .seen(["/a"])),
            post("no length at all", "", "", .seen(["/a"])),
            post(
                "a body that looks like a request",
                "Content-Length: \(smuggled.utf8.count)\r\n",
                smuggled,
                .seen(["/a \(smuggled)"])
            ),
            FramingCase(
                name: "a GET with a body",
                bytes: "GET /a HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n\r\nabc",
                outcome: .seen(["/a abc"])
            ),
            FramingCase(
                name: "a GET with chunks",
                bytes: "GET /a HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
                outcome: .seen(["/a x"])
            ),
        ]

    // MARK: Chunks

    private static func chunked(_ name: String, _ body: String, _ outcome: Outcome = .refused) -> FramingCase {
        post("chunks: \(name)", "Transfer-Encoding: chunked\r\n", body, outcome)
    }

    static let sizes: [FramingCase] =
        [
            "+3", "-3", " 3", "3 ", "\t3", "3\t", "0x3", "0X3", "3h", "g", "", "3,", "3.0", "\u{0}3", "3\u{0}",
            "00000000000000003",
            "10000000000000003", "ffffffffffffffffffff", "3_", "\"3\"", "3\u{B}", "٣",
        ].map { size in chunked("size \(size.debugDescription)", "\(size)\r\nabc\r\n0\r\n\r\n\(smuggled)") } + [
            chunked("a bare line feed behind the size", "3\nabc\r\n0\r\n\r\n"),
            chunked("a bare carriage return behind the size", "3\rabc\r\n0\r\n\r\n"),
            chunked("a bare line feed behind the data", "3\r\nabc\n0\r\n\r\n"),
            chunked("nothing behind the data", "3\r\nabc0\r\n\r\n"),
            chunked("data shorter than its size", "4\r\nabc\r\n0\r\n\r\n"),
            chunked("data longer than its size", "2\r\nabc\r\n0\r\n\r\n"),
            chunked("a line feed within an extension", "3;a=b\nc\r\nabc\r\n0\r\n\r\n"),
            chunked("a carriage return within an extension", "3;a=b\rc\r\nabc\r\n0\r\n\r\n"),
            chunked("a NUL within an extension", "3;a=\u{0}\r\nabc\r\n0\r\n\r\n"),
            chunked("a bare line feed ends the last chunk", "0\n\r\n"),
            chunked("a bare line feed ends the body", "0\r\n\n"),
            chunked("a carriage return too much", "0\r\r\n\r\n"),
            chunked("a trailer without a colon", "0\r\nabc\r\n\r\n"),
            chunked("a trailer with a space in its name", "0\r\na b: c\r\n\r\n"),
            chunked("a trailer with a space before its colon", "0\r\na : c\r\n\r\n"),
            chunked("a trailer that is folded", "0\r\na: b\r\n c\r\n\r\n"),
            chunked("a trailer with a bare line feed", "0\r\na: b\nc: d\r\n\r\n"),
            chunked("a trailer with a NUL", "0\r\na: \u{0}\r\n\r\n"),
            chunked("one chunk", "3\r\nabc\r\n0\r\n\r\n", .seen(["/a abc"])),
            chunked("two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", .seen(["/a abcde"])),
            chunked("capital digits", "A\r\n0123456789\r\n0\r\n\r\n", .seen(["/a 0123456789"])),
            chunked("small digits", "a\r\n0123456789\r\n0\r\n\r\n", .seen(["/a 0123456789"])),
            chunked("zeros before the size", "003\r\nabc\r\n0\r\n\r\n", .seen(["/a abc"])),
            chunked("several zeros as the last size", "3\r\nabc\r\n000\r\n\r\n", .seen(["/a abc"])),
            chunked("an extension", "3;a=b\r\nabc\r\n0;c\r\n\r\n", .seen(["/a abc"])),
            chunked("trailers", "3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n", .seen(["/a abc"])),
            chunked("framing fields as trailers", "3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n", .seen(["/a abc"])),
            chunked("no data", "0\r\n\r\n", .seen(["/a"])),
            chunked("data with line ends", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", .seen(["/a \r\n0\r\n\r\n"])),
        ]

    // MARK: Fields that end here

    /// Naming a framing field in Connection must not take it from the message that goes on.
    static let connectionFields: [FramingCase] = [
        post(
            "Connection names the length",
            "Connection: Content-Length\r\nContent-Length: 3\r\n",
            "abc",
            .seen(["/a abc"])
        ),
        post(
            "Connection names the coding",
            "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            .seen(["/a abc"])
        ),
        post("Connection names the host", "Connection: Host\r\nContent-Length: 3\r\n", "abc", .seen(["/a abc"])),
        post("Connection names nothing", "Connection:\r\nContent-Length: 3\r\n", "abc", .seen(["/a abc"])),
        post("Connection with commas", "Connection: ,,keep-alive,\r\nContent-Length: 3\r\n", "abc", .seen(["/a abc"])),
        post("Connection that is no list", "Connection: (a)\r\nContent-Length: 3\r\n", "abc", .refused),
        post(
            "an upgrade with a body",
            "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n",
            "abc",
            .seen(["/a abc"])
        ),
        post("an upgrade that nobody takes", "Connection: upgrade\r\nUpgrade: websocket\r\n", "", .seen(["/a"])),
        post("an expectation", "Expect: 100-continue\r\nContent-Length: 3\r\n", "abc", .seen(["/a abc"])),
        post("an unknown expectation", "Expect: 100-continued\r\nContent-Length: 3\r\n", "abc", .refused),
    ]

    // MARK: Versions and targets

    static let versions: [FramingCase] =
        [
            "HTTP/1.1 ", "HTTP/1.1\t", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/11", "HTTP/1.11", "HTTP/1", "http/1.1",
            "HTTPS/1.1", "HTTP /1.1", "HTTP/1,1", "HTTP/1.1 HTTP/1.1", "",
        ].map { version in
            FramingCase(
                name: "version \(version.debugDescription)",
                bytes: "GET /a \(version)\r\nHost: app.test\r\n\r\n",
                outcome: .refused
            )
        } + [
            FramingCase(
                name: "chunks in HTTP/1.0",
                bytes: "POST /a HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\(smuggled)",
                outcome: .refused
            ),
            FramingCase(
                name: "a length in HTTP/1.0",
                bytes: "POST /a HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
                outcome: .seen(["/a abc"])
            ),
            FramingCase(
                name: "an absolute target with another host",
                bytes: "GET http://app.test/a HTTP/1.1\r\nHost: other.test\r\n\r\n",
                outcome: .seen(["/a"])
            ),
        ]

    // MARK: Several requests on one connection

    private static let get = "GET /b HTTP/1.1\r\nHost: app.test\r\n\r\n"

    static let pipelines: [FramingCase] = [
        FramingCase(name: "two requests", bytes: get + get, outcome: .seen(["/b", "/b"])),
        FramingCase(name: "an empty line before a request", bytes: "\r\n" + get, outcome: .seen(["/b"])),
        FramingCase(name: "an empty line between", bytes: get + "\r\n" + get, outcome: .seen(["/b", "/b"])),
        FramingCase(name: "a line feed between", bytes: get + "\n" + get, outcome: .seen(["/b"])),
        FramingCase(name: "a space between", bytes: get + " " + get, outcome: .seen(["/b"])),
        FramingCase(name: "a NUL between", bytes: get + "\u{0}" + get, outcome: .seen(["/b"])),
        post("a request behind a body", "Content-Length: 3\r\n", "abc" + get, .seen(["/a abc", "/b"])),
        post("an empty line behind a body", "Content-Length: 3\r\n", "abc\r\n" + get, .seen(["/a abc", "/b"])),
        post(
            "a request behind chunks",
            "Transfer-Encoding: chunked\r\n",
            "1\r\nx\r\n0\r\n\r\n" + get,
            .seen(["/a x", "/b"])
        ),
        post("a request behind no body", "", get, .seen(["/a", "/b"])),
        post("a request behind an end", "Connection: close\r\n", smuggled, .seen(["/a"])),
    ]

    // MARK: Ends of lines

    static let lineEnds: [FramingCase] = [
        "GET /a HTTP/1.1\nHost: app.test\r\n\r\n", "GET /a HTTP/1.1\r\nHost: app.test\n\r\n",
        "GET /a HTTP/1.1\r\nHost: app.test\r\n\n", "GET /a HTTP/1.1\nHost: app.test\n\n",
        "GET /a HTTP/1.1\rHost: app.test\r\r", "GET /a HTTP/1.1\r\nHost: app.test\r\r\n\r\n",
        "GET /a HTTP/1.1\r\r\nHost: app.test\r\n\r\n", "GET /a HTTP/1.1\r\nHost: app.test\r\n\r\r\n",
        "GET /a HTTP/1.1\r\nHost: app.test\r\nX: a\u{0}b\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: app.test\r\nX: a\r\n b\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: app.test\r\nX: a\r\n\tb\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n",
    ].map { FramingCase(name: "line ends \($0.debugDescription)", bytes: $0, outcome: .refused) }

    // MARK: Names

    /// Fields that only resemble the framing ones: the app must see no body either.
    static let names: [FramingCase] =
        ["Content_Length", "Content-Lengths", "XContent-Length", "Transfer_Encoding", "Content.Length"]
        .map { name in post("a field named \(name)", "\(name): 3\r\n", get, .seen(["/a", "/b"])) }
        + [
            "Content-Length\u{0}", "Content Length", "Content-Length\u{A0}", "Content-Length(", "Cöntent-Length",
            "\u{1}Content-Length",
        ]
        .map { name in post("a field named \(name.debugDescription)", "\(name): 3\r\n", "abc", .refused) }
        + [
            "app.test, other.test", "app.test\tother.test", "app.test/x", "a@app.test", "app.test#", "app.test?",
            "\\app.test",
        ]
        .map { host in
            FramingCase(
                name: "host \(host.debugDescription)",
                bytes: "GET /a HTTP/1.1\r\nHost: \(host)\r\n\r\n",
                outcome: .refused
            )
        }
        + [
            post("two hosts", "Host: app.test\r\n", "", .refused),
            post("a second host in capitals", "HOST: b\r\n", "", .refused),
        ]
}
