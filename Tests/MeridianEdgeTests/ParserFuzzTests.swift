// ParserFuzzTests: the parsers under random input with a fixed seed.
import Testing

@testable import MeridianEdge

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
