// FramingTests: the edge and the app agree where each message ends.
import MeridianEdge
import Synchronization
import Testing

extension EdgeTests {
    @Suite("The boundaries of messages")
    struct Framing {
        /// The request behind each case: it arrives as itself where both sides agree on where the case ends.
        private static let end = "GET /end HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n"

        @Test("router and app agree on every request, or the router refuses it")
        func requests() async throws {
            let log = SeenRequests()
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    log.add(request)
                    return ok("seen")
                })
            )
            let cases = FramingCase.all
            #expect(cases.count >= 200, "\(cases.count) cases")
            #expect(Set(cases.map(\.name)).count == cases.count)
            for one in cases {
                log.clear()
                let client = try stand.client()
                try client.send(one.bytes + Self.end)
                let answer = String(decoding: client.receiveAll(), as: UTF8.self)
                check(one, answer, log.all)
            }
            await stand.stop()
        }

        private func check(_ one: FramingCase, _ answer: String, _ seen: [String]) {
            let statuses = answer.split(separator: "HTTP/1.1 ").compactMap { Int($0.prefix(3)) }.filter { $0 >= 200 }
            switch one.outcome {
            case .refused:
                #expect(!seen.contains { $0.contains("smuggled") || $0.hasPrefix("/end") }, "\(one): \(seen)")
                #expect(statuses.count == 1 && (400..<600).contains(statuses[0]), "\(one): \(answer)")
            case .seen(let expected):
                // A client that said close, or a fault behind a good request, ends the connection before the last one.
                #expect(seen == expected || seen == expected + ["/end"], "\(one): \(seen)")
                #expect(statuses.filter { $0 == 200 }.count == seen.count, "\(one): \(answer)")
            }
        }

        @Test("client and edge agree on every answer, or the edge refuses it", arguments: BadAnswer.all)
        func answers(_ answer: BadAnswer) async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    guard try connection.receiveHead() != nil else { return }
                    try connection.send(answer.text)
                }
            )
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n")
            let text = String(decoding: client.receiveAll(), as: UTF8.self)
            #expect(!text.contains("smuggled"), "\(text)")
            #expect(text.hasPrefix("HTTP/1.1 502 ") || answer.isCutOff, "\(text)")
            await stand.stop()
        }
    }
}

/// An app's answer that one side might read another way than the other.
struct BadAnswer: CustomStringConvertible, Sendable {
    let description: String
    let text: String
    /// The head was right, so that the fault can only end the connection.
    let isCutOff: Bool

    private static func head(_ name: String, _ fields: String, _ body: String = smuggled) -> BadAnswer {
        BadAnswer(description: name, text: "HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n\(body)", isCutOff: false)
    }

    private static func chunks(_ name: String, _ body: String) -> BadAnswer {
        BadAnswer(
            description: name,
            text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\(body)\(smuggled)",
            isCutOff: true
        )
    }

    private static let smuggled = "HTTP/1.1 200 OK\r\nx: smuggled\r\n\r\n"

    static let all: [BadAnswer] = [
        head("length and chunks", "content-length: 5\r\ntransfer-encoding: chunked"),
        head("chunks and length", "transfer-encoding: chunked\r\ncontent-length: 5"),
        head("two lengths", "content-length: 5\r\ncontent-length: 6"),
        head("a signed length", "content-length: +5"), head("a length list", "content-length: 5, 5"),
        head("a huge length", "content-length: 99999999999999999999"), head("an empty length", "content-length:"),
        head("an unknown coding", "transfer-encoding: xchunked"),
        head("gzip, chunked", "transfer-encoding: gzip, chunked"),
        head("chunked twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked"),
        head("a folded field", "a: b\r\n c"), head("a space before the colon", "content-length : 5"),
        head("a bare line feed", "a: b\nx: smuggled"), head("a NUL", "a: \u{0}"), head("no colon", "abc"),
        BadAnswer(description: "no status", text: "HTTP/1.1 OK\r\n\r\n\(smuggled)", isCutOff: false),
        BadAnswer(description: "another version", text: "HTTP/2.0 200 OK\r\n\r\n\(smuggled)", isCutOff: false),
        BadAnswer(description: "an answer of HTTP/0.9", text: "<html>smuggled", isCutOff: false),
        chunks("no size", "\r\n"), chunks("a signed size", "+1\r\nx\r\n"), chunks("a bare line feed", "1\nx\r\n"),
        chunks("too much data", "1\r\nxy\r\n"), chunks("a size too long", "0000000000000001\r\nx\r\n"),
        chunks("a bad trailer", "0\r\nab\r\n\r\n"),
    ]
}

/// The requests that an app saw, as `TARGET` or `TARGET BODY`.
private final class SeenRequests: Sendable {
    private let requests = Mutex<[String]>([])

    var all: [String] { requests.withLock { $0 } }

    func add(_ request: TestRequest) {
        let body = String(decoding: request.body, as: UTF8.self)
        requests.withLock { $0.append(body.isEmpty ? request.target : "\(request.target) \(body)") }
    }

    func clear() { requests.withLock { $0 = [] } }
}
