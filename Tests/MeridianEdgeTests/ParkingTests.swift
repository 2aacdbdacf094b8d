// ParkingTests: requests that wait for a runner.
import MeridianEdge
import MeridianModel
import Synchronization
import Testing

extension EdgeTests {
    @Suite("Parking")
    struct Parking {
        private func hello() throws -> TestBackend {
            try TestBackend(answering: { ok("hello" + String(decoding: $0.body, as: UTF8.self)) })
        }

        @Test("a request waits for the first runner, is answered cold, and the next one hot")
        func coldThenHot() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false)
            let client = try stand.client()
            try client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\n you!")
            #expect(await eventually { stand.parked == 1 })
            #expect(stand.demands == [EdgeStand.revision])
            await stand.setRunners([stand.backend])
            let cold = try client.receiveResponse()
            #expect(cold.text == "hello you!" && cold.field("x-meridian-temperature") == "cold")
            #expect(cold.field("x-globe-temperature") == "cold")
            #expect(try stand.get().field("x-meridian-temperature") == "hot")
            #expect(stand.parked == 0 && stand.demands.count == 1)
            await stand.stop()
        }

        @Test("a request that waited for a runner that was paused is answered warm, and the next one hot")
        func warmThenHot() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false)
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.parked == 1 })
            await stand.setRunners([stand.backend], isResumed: true)
            let warm = try client.receiveResponse()
            #expect(warm.field("x-meridian-temperature") == "warm" && warm.field("x-globe-temperature") == "warm")
            #expect(try stand.get().field("x-meridian-temperature") == "hot")
            await stand.stop()
        }

        @Test("many waiting requests make one demand and are all answered")
        func manyOneDemand() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false)
            let clients = try (0..<100).map { _ in try stand.client() }
            for client in clients { try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n") }
            #expect(await eventually { stand.parked == 100 })
            #expect(stand.demands.count == 1)
            await stand.setRunners([stand.backend], concurrencyMax: 4)
            for client in clients { #expect(try client.receiveResponse().text == "hello") }
            #expect(await eventually { stand.parked == 0 && stand.inFlight == 0 })
            await stand.stop()
        }

        @Test("never more requests are in flight on a runner than it may have, over all loops")
        func concurrencyCap() async throws {
            let highest = Seen()
            let current = Seen()
            let backend = try TestBackend { connection in
                while try receiveRequest(connection) != nil {
                    let now = current.count.withLock { count in
                        count += 1
                        return count
                    }
                    highest.count.withLock { $0 = max($0, now) }
                    usleepTwoMilliseconds()
                    current.count.withLock { $0 -= 1 }
                    try connection.send(ok("x"))
                }
            }
            let stand = try await EdgeStand(backend, concurrencyMax: 3)
            let clients = try (0..<40).map { _ in try stand.client() }
            for _ in 0..<3 {
                for client in clients { try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n") }
                for client in clients {
                    let response = try client.receiveResponse()
                    // Waiting for a place on a running runner is not a cold start.
                    #expect(response.status == 200 && response.field("x-meridian-temperature") == "hot")
                }
            }
            #expect(highest.count.withLock { $0 } <= 3)
            #expect(await eventually { stand.inFlight == 0 && stand.parked == 0 })
            await stand.stop()
        }

        @Test("beyond the bound of waiting requests the answer is 503 with Retry-After")
        func full() async throws {
            var limits = EdgeLimits()
            limits.parkedRequestsMax = 2
            let stand = try await EdgeStand(hello(), limits: limits, hasRunner: false)
            let waiting = try (0..<2).map { _ in try stand.client() }
            for client in waiting { try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n") }
            #expect(await eventually { stand.parked == 2 })
            let refused = try stand.get()
            #expect(refused.status == 503 && refused.field("retry-after") == "1")
            #expect(refused.text.contains("too many requests wait"))
            await stand.setRunners([stand.backend])
            for client in waiting { #expect(try client.receiveResponse().status == 200) }
            await stand.stop()
        }

        @Test("beyond the bound of waiting bytes the answer is 503")
        func fullOfBytes() async throws {
            var limits = EdgeLimits()
            limits.parkedBytesMax = 3000
            let stand = try await EdgeStand(hello(), limits: limits, hasRunner: false)
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\nX: \(String(repeating: "a", count: 2000))\r\n\r\n")
            #expect(await eventually { stand.parked == 1 })
            #expect(try stand.get("/", "X: \(String(repeating: "a", count: 2000))\r\n").status == 503)
            await stand.stop()
        }

        @Test("a request that waits too long is answered 504 and its connection goes on")
        func tooLong() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false) { $0.requestTimeout = .milliseconds(200) }
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            let late = try client.receiveResponse()
            #expect(late.status == 504 && late.field("connection") == nil && stand.parked == 0)
            await stand.setRunners([stand.backend])
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(try client.receiveResponse().text == "hello")
            await stand.stop()
        }

        @Test("the node's words reach the waiting client")
        func failed() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false)
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.parked == 1 })
            await stand.edge.fail(EdgeStand.revision, message: "exited with code 3")
            let response = try client.receiveResponse()
            #expect(response.status == 503 && response.field("retry-after") == "1")
            #expect(response.text.contains("exited with code 3") && stand.parked == 0)
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.demands.count == 2 })
            await stand.stop()
        }

        @Test("a client that leaves while it waits is forgotten")
        func gone() async throws {
            let stand = try await EdgeStand(hello(), hasRunner: false)
            let stays = try stand.client()
            let leaves = try stand.client()
            for client in [leaves, stays] { try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n") }
            #expect(await eventually { stand.parked == 2 })
            leaves.close()
            #expect(await eventually { stand.parked == 1 && stand.edge.load().connections == 1 })
            await stand.setRunners([stand.backend])
            #expect(try stays.receiveResponse().status == 200)
            await stand.stop()
        }

        @Test("a demand is repeated while requests wait")
        func repeated() async throws {
            var limits = EdgeLimits()
            limits.demandRepeatMilliseconds = 50
            let stand = try await EdgeStand(hello(), limits: limits, hasRunner: false)
            let client = try stand.client()
            try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
            #expect(await eventually { stand.demands.count >= 3 })
            await stand.stop()
        }
    }
}
