// EjectionTests: runners and addresses that fail in a row are passed over for a while.
import MeridianModel
import Synchronization
import Testing

@testable import MeridianEdge

extension EdgeTests {
    @Suite("Runners that fail")
    struct Ejection {
        /// A backend that answers `well`, or closes each connection after its request while `seen` counts.
        private func broken(_ seen: Seen) throws -> TestBackend {
            try TestBackend { connection in
                _ = try receiveRequest(connection)
                seen.count.withLock { $0 += 1 }
            }
        }

        private func limits(milliseconds: Int64) -> EdgeLimits {
            var limits = EdgeLimits()
            limits.ejectionMilliseconds = milliseconds
            limits.ejectionMillisecondsMax = max(milliseconds, 60_000)
            return limits
        }

        @Test("a runner that fails five times in a row gets no further request while another is there")
        func ejected() async throws {
            let seen = Seen()
            let bad = try broken(seen)
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in ok("well") }),
                limits: limits(milliseconds: 60_000)
            )
            await stand.setRunners([bad, stand.backend])
            var failed = 0
            for _ in 0..<200 where try stand.get().status == 502 { failed += 1 }
            #expect(failed == 5 && seen.count.withLock { $0 } == 5)
            bad.stop()
            await stand.stop()
        }

        @Test("failures that are not in a row eject nobody")
        func notInARow() async throws {
            let seen = Seen()
            let half = try TestBackend { connection in
                while try receiveRequest(connection) != nil {
                    let number = seen.count.withLock { count in
                        count += 1
                        return count
                    }
                    guard number.isMultiple(of: 3) else { return }
                    try connection.send(ok("half"))
                    return
                }
            }
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in ok("well") }),
                limits: limits(milliseconds: 60_000)
            )
            await stand.setRunners([half, stand.backend])
            for _ in 0..<100 { _ = try stand.get() }
            #expect(seen.count.withLock { $0 } > 20)
            half.stop()
            await stand.stop()
        }

        @Test("the last runner is never taken away, nor are all that are left")
        func lastOne() async throws {
            let seen = Seen()
            let first = try broken(seen)
            let second = try broken(seen)
            let stand = try await EdgeStand(first, limits: limits(milliseconds: 60_000))
            for _ in 0..<20 { #expect(try stand.get().status == 502) }
            await stand.setRunners([first, second])
            for _ in 0..<20 { #expect(try stand.get().status == 502) }
            #expect(seen.count.withLock { $0 } == 40)
            second.stop()
            await stand.stop()
        }

        @Test("an ejected runner gets requests again after its time")
        func back() async throws {
            let seen = Seen()
            let flaky = try TestBackend { connection in
                while try receiveRequest(connection) != nil {
                    let number = seen.count.withLock { count in
                        count += 1
                        return count
                    }
                    guard number > 5 else { return }
                    try connection.send(ok("back"))
                }
            }
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in ok("well") }),
                limits: limits(milliseconds: 200)
            )
            await stand.setRunners([flaky, stand.backend])
            #expect(await eventually { (try? stand.get().text) == "back" })
            flaky.stop()
            await stand.stop()
        }

        @Test("the share of an address that fails goes to another backend of the split")
        func address() async throws {
            let seen = Seen()
            let bad = try broken(seen)
            let stand = try await EdgeStand(
                TestBackend(answering: { _ in ok("well") }),
                limits: limits(milliseconds: 60_000)
            ) {
                $0.backends = [
                    RouteBackend(address: "127.0.0.1:\(bad.port)", weight: 60),
                    RouteBackend(revision: EdgeStand.revision, weight: 40),
                ]
            }
            var failed = 0
            for _ in 0..<200 where try stand.get().status == 502 { failed += 1 }
            #expect(failed == 5 && seen.count.withLock { $0 } == 5)
            bad.stop()
            await stand.stop()
        }
    }

    @Suite("The time of an ejection")
    struct EjectionTimes {
        @Test("an ejection doubles each time up to its bound, and is forgotten after a good while")
        func growth() {
            var limits = EdgeLimits()
            limits.ejectionFailures = 1
            let line = CounterLine()
            let runner = RunnerCounters(words: line.words)
            var now: Int64 = 1000
            for expected: Int64 in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
                #expect(runner.noteFailure(limits, now: now))
                #expect(!runner.noteFailure(limits, now: now + 1), "what was under way does not count again")
                #expect(runner.isEjected(now: now + expected - 1) && !runner.isEjected(now: now + expected))
                now += expected
                runner.noteAnswer(limits, now: now)
            }
            now += 60_001
            runner.noteAnswer(limits, now: now)
            #expect(runner.noteFailure(limits, now: now))
            #expect(runner.isEjected(now: now + 999) && !runner.isEjected(now: now + 1000))
            withExtendedLifetime(line) {}
        }
    }
}
