// MeasuresTests: what the edge counts of each target.
import MeridianEdge
import Testing

extension EdgeTests {
    @Suite("Measures")
    struct Measures {
        @Test("answers, bytes, errors and durations are counted by target")
        func counts() async throws {
            let stand = try await EdgeStand(
                TestBackend { connection in
                    while let request = try receiveRequest(connection) {
                        if request.target == "/broken" { return }
                        try connection.send(
                            request.target == "/missing" ? missing : ok(String(repeating: "x", count: 500))
                        )
                    }
                }
            )
            for target in ["/", "/", "/missing", "/broken"] { _ = try stand.get(target) }
            #expect(await eventually { stand.edge.measures()[EdgeStand.revision]?.answers[5] == 1 })
            let measures = try #require(stand.edge.measures()[EdgeStand.revision])
            #expect(measures.answers == [0, 0, 2, 0, 1, 1])
            #expect(measures.upstreamErrors == 1 && measures.coldStarts == 0)
            #expect(measures.bytesIn > 4 * 30 && measures.bytesOut > 1000)
            #expect(measures.durations.counts.reduce(0, +) == 4)
            let median = try #require(measures.durations.quantile(0.5))
            #expect(median > .zero && median < .seconds(10))
            await stand.stop()
        }

        @Test("a bucket holds what lies between its neighbour's bound and its own")
        func buckets() {
            for index in 1..<DurationHistogram.bucketCount {
                #expect(DurationHistogram.bound(of: index) > DurationHistogram.bound(of: index - 1))
            }
            #expect(DurationHistogram.bound(of: 0) == 64 && DurationHistogram.bound(of: 1) == 96)
            #expect(DurationHistogram().quantile(0.5) == nil)
        }
    }
}

private let missing = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
