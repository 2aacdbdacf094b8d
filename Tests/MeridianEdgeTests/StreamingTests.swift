// StreamingTests: large bodies, slow sides and bounded memory.
import Glibc
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Streaming")
    struct Streaming {
        static let size = 50 << 20

        @Test("50 MB stream both ways in bounded memory")
        func bothWays() async throws {
            let stand = try await EdgeStand(echoBackend())
            let client = try stand.client()
            let before = residentKilobytes()
            onThread {
                // A failure shows as a short answer.
                try? client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: \(Self.size)\r\n\r\n")
                let piece = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                for _ in 0..<Self.size / piece.count { try? client.send(piece) }
            }
            let (count, isRight) = try await blocking { try readPattern(client) }
            #expect(count == Self.size && isRight)
            // AddressSanitizer keeps freed memory for a while, so the figure means nothing under it.
            if dlsym(nil, "__asan_init") == nil { #expect(residentKilobytes() - before < 20_000) }
            await stand.stop()
        }

        @Test("a chunked upload of any size is streamed")
        func chunkedUpload() async throws {
            let counted = Seen()
            let stand = try await EdgeStand(
                TestBackend { connection in
                    _ = try connection.receiveHead()
                    let body = try connection.receiveChunks().0
                    counted.count.withLock { $0 = body.count }
                    try connection.send(ok("\(body.count)"))
                }
            )
            let client = try stand.client()
            try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n")
            let piece = [UInt8](repeating: 65, count: 100_000)
            for _ in 0..<50 {
                try client.send("\(String(piece.count, radix: 16))\r\n")
                try client.send(piece)
                try client.send("\r\n")
            }
            try client.send("0\r\n\r\n")
            #expect(try client.receiveResponse().text == "5000000")
            await stand.stop()
        }

        @Test("a slow reader holds its app back instead of filling memory, and others go on")
        func backPressure() async throws {
            final class Counter: Sendable { let bytes = Mutex(0) }
            let counter = Counter()
            let stand = try await EdgeStand(
                TestBackend { connection in
                    while let request = try receiveRequest(connection) {
                        guard request.target == "/large" else {
                            try connection.send(ok("small"))
                            continue
                        }
                        try connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(Self.size)\r\n\r\n")
                        let piece = [UInt8](repeating: 66, count: 65536)
                        for _ in 0..<Self.size / piece.count {
                            try connection.send(piece)
                            counter.bytes.withLock { $0 += piece.count }
                        }
                    }
                },
                loops: 1
            )
            let slow = try TestSocket(port: stand.port, receiveBuffer: 16384)
            try slow.send("GET /large HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { counter.bytes.withLock { $0 } > 0 })
            for _ in 0..<20 { #expect(try stand.get().text == "small") }
            #expect(counter.bytes.withLock { $0 } < Self.size / 2)
            let response = try await blocking { try slow.receiveResponse().body.count }
            #expect(response == Self.size)
            await stand.stop()
        }

        @Test("an app that answers before the upload is over reaches the client")
        func earlyAnswer() async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    _ = try connection.receiveHead()
                    try connection.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
                    connection.shutWriting()
                    _ = connection.receiveAll()
                }
            )
            let client = try stand.client()
            try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n")
            try client.send([UInt8](repeating: 1, count: 200_000))
            let response = try client.receiveResponse()
            #expect(response.status == 413 && response.text == "big")
            await stand.stop()
        }

        private func echoBackend() throws -> TestBackend {
            try TestBackend { connection in
                _ = try connection.receiveHead()
                try connection.send("HTTP/1.1 200 OK\r\ncontent-length: \(Self.size)\r\n\r\n")
                var left = Self.size
                while left > 0 {
                    let bytes = try connection.receive(65536)
                    guard !bytes.isEmpty else { return }
                    try connection.send(bytes)
                    left -= bytes.count
                }
            }
        }
    }
}

/// Reads a response whose body repeats 65,536 known bytes; how many came and whether each was right.
private func readPattern(_ client: TestSocket) throws -> (Int, Bool) {
    guard try client.receiveHead() != nil else { return (0, false) }
    let piece = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var count = 0
    var isRight = true
    while count < EdgeTests.Streaming.size {
        let bytes = try client.receive(65536 - count % 65536)
        if bytes.isEmpty { break }
        // memcmp, since a debug build compares elements too slowly for this much.
        let isSame = bytes.withUnsafeBytes { own in
            piece.withUnsafeBytes { all in
                guard let own = own.baseAddress, let all = all.baseAddress else { return false }
                return memcmp(own, all + count % 65536, bytes.count) == 0
            }
        }
        isRight = isRight && isSame
        count += bytes.count
    }
    return (count, isRight)
}

/// The memory that the process holds.
func residentKilobytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, 128, file) != nil else { return 0 }
    let words = String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4 : 0
}
