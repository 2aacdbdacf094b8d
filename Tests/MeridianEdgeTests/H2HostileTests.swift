// H2HostileTests: HTTP/2 clients that mean harm, frame by frame (RFC 9113 §10.5).
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Hostile HTTP/2")
    struct HostileH2 {
        /// Frames that no honest client sends so many of: each flood must end its connection.
        static let floods: [(name: String, frames: @Sendable (Int32) -> [UInt8])] = [
            ("rapid reset", { frame(1, 5, stream: $0, getRequest) + frame(3, 0, stream: $0, [0, 0, 0, 8]) }),
            ("pings", { _ in frame(6, 0, stream: 0, [UInt8](repeating: 1, count: 8)) }),
            ("settings", { _ in frame(4, 0, stream: 0, []) }),
            ("priorities", { frame(2, 0, stream: $0, [0, 0, 0, 0, 9]) }),
            (
                "empty data",
                { id in
                    (id == 1 ? frame(1, 4, stream: 1, postRequest) : []) + frame(0, 0, stream: 1, [])
                }
            ),
            ("continuations", { id in id == 1 ? frame(1, 1, stream: 1, getRequest) : frame(9, 0, stream: 1, []) }),
        ]

        @Test("a flood ends its connection, and others are served meanwhile", arguments: floods.map(\.name))
        func flood(_ name: String) async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("hi") }))
            let flood = try #require(Self.floods.first { $0.name == name })
            let client = try H2Client(stand.port)
            var isCut = false
            for number in 0..<Int32(4000) where !isCut {
                // The edge cuts the connection in the middle, which the next write meets.
                do { try client.socket.send(flood.frames(number * 2 + 1)) } catch { isCut = true }
            }
            let reason = try client.lastGoAway()
            // 11 is ENHANCE_YOUR_CALM; some releases of nghttp2 count continuations themselves and say PROTOCOL_ERROR.
            #expect(reason == 11 || (reason == 1 && name == "continuations"), "\(String(describing: reason))")
            #expect(try stand.get().text == "hi")
            #expect(await eventually { stand.inFlight == 0 && stand.edge.load().connections == 0 })
            await stand.stop()
        }

        @Test("a stream that is reset gives its place on the runner back")
        func resetStream() async throws {
            let slow = SlowAnswers()
            let stand = try await EdgeStand(
                TestBackend { connection in
                    while try receiveRequest(connection) != nil {
                        slow.hold()
                        try connection.send(ok("late"))
                    }
                }
            )
            let client = try H2Client(stand.port)
            try client.socket.send(frame(1, 5, stream: 1, getRequest))
            #expect(await eventually { stand.inFlight == 1 })
            try client.socket.send(frame(3, 0, stream: 1, [0, 0, 0, 8]))
            #expect(await eventually { stand.inFlight == 0 })
            slow.release()
            await stand.stop()
        }

        @Test("a client that opens no window holds bounded memory and is let go", arguments: [300])
        func closedWindow(_ idleMilliseconds: Int64) async throws {
            var limits = EdgeLimits()
            limits.clientIdleMilliseconds = idleMilliseconds
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in ok(String(repeating: "x", count: 4_000_000)) }),
                loops: 1,
                limits: limits
            ) { $0.requestTimeout = .milliseconds(500) }
            let client = try H2Client(stand.port)
            for id in stride(from: Int32(1), to: 21, by: 2) {
                try client.socket.send(frame(1, 5, stream: id, getRequest))
            }
            #expect(await eventually { stand.inFlight == 0 }, "\(stand.inFlight) requests in flight")
            #expect(await eventually { stand.edge.load().connections == 0 })
            withExtendedLifetime(client) {}
            await stand.stop()
        }

        @Test(
            "a request that HTTP/1.1 cannot carry is refused by a reset or an answer",
            arguments: [
                // A path with a space, a value with a line feed, a name in capitals, no method, two methods.
                [0x82, 0x86] + authority + [0x04, 3] + Array("/ x".utf8),
                getRequest + [0x00, 1] + Array("a".utf8) + [3] + Array("b\nc".utf8),
                getRequest + [0x00, 1] + Array("A".utf8) + [1] + Array("b".utf8),
                [0x84, 0x86] + authority,
                [0x82, 0x82, 0x84, 0x86] + authority,
                getRequest + [0x00, 10] + Array("connection".utf8) + [5] + Array("close".utf8),
                getRequest + [0x00, 17] + Array("transfer-encoding".utf8) + [7] + Array("chunked".utf8),
            ]
        )
        func refusedRequests(_ block: [UInt8]) async throws {
            let seen = Seen()
            let stand = try await EdgeStand(
                TestBackend(answering: { request in
                    seen.requests.withLock { $0.append(request) }
                    return ok("hi")
                })
            )
            let client = try H2Client(stand.port)
            try client.socket.send(frame(1, 5, stream: 1, block))
            let outcome = try client.outcome(of: 1)
            #expect(outcome == "reset" || outcome == "400")
            #expect(seen.requests.withLock { $0.isEmpty })
            await stand.stop()
        }
    }
}

private let authority: [UInt8] = [0x41, 8] + Array("app.test".utf8)
/// `GET / http` for app.test: fields of HPACK's static table.
private let getRequest: [UInt8] = [0x82, 0x84, 0x86] + authority
private let postRequest: [UInt8] = [0x83, 0x84, 0x86] + authority

private func frame(_ type: UInt8, _ flags: UInt8, stream: Int32, _ payload: [UInt8]) -> [UInt8] {
    let length = payload.count
    let id = UInt32(bitPattern: stream)
    return [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
        + [UInt8(id >> 24), UInt8(id >> 16 & 255), UInt8(id >> 8 & 255), UInt8(id & 255)] + payload
}

/// A client that writes frames by hand and reads their headers.
private final class H2Client {
    let socket: TestSocket

    init(_ port: UInt16) throws {
        socket = try TestSocket(port: port)
        try socket.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(4, 0, stream: 0, []))
    }

    /// The reason of the last GOAWAY before the end of the connection; nil without one.
    func lastGoAway() throws -> UInt32? {
        var reason: UInt32?
        while let (header, payload) = try? next() {
            if header[3] == 7 { reason = payload[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
        }
        return reason
    }

    /// `reset` or the status of the answer on a stream, as far as HPACK's static table has it.
    func outcome(of stream: UInt8) throws -> String {
        while true {
            let (header, payload) = try next()
            if header[3] == 7 { return "reset" }
            guard header[8] == stream else { continue }
            if header[3] == 3 { return "reset" }
            guard header[3] == 1, let first = payload.first else { continue }
            // Indices 8 to 14 of the static table.
            let statuses = ["200", "204", "206", "304", "400", "404", "500"]
            return (0x88...0x8E).contains(first) ? statuses[Int(first) - 0x88] : "other"
        }
    }

    private func next() throws -> ([UInt8], [UInt8]) {
        let header = try socket.receive(exactly: 9)
        let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
        return (header, try socket.receive(exactly: length))
    }
}
