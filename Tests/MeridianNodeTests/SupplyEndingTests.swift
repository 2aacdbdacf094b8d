// SupplyEndingTests: how runners go: idle, replaced, unassigned, crashed; and that no request is lost by it.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode

@Suite("Ending and replacing runners")
struct SupplyEndingTests {
    private func serving(_ first: RevisionOrder, requests: Int = 1) -> SupplyBench {
        var bench = SupplyBench()
        bench.send(.assigned([first], isComplete: true))
        bench.offer(requests, to: web, cap: 100)
        bench.offer(0, to: web, cap: 100)
        return bench
    }

    @Test("a request that was picked while its runner was taken from the edge brings the runner back")
    func raceInFlight() {
        var bench = serving(order(idleAfter: .seconds(10)))
        let runner = bench.started[0].id
        bench.publishesAtOnce = false
        bench.pass(.seconds(11))
        #expect(bench.edge[web] == [])
        bench.inFlight[runner] = 1
        bench.publishesAtOnce = true
        bench.finishPublications()
        #expect(bench.stopped.isEmpty)
        #expect(bench.edge[web] == [runner])
    }

    @Test("a request that waits while the last runner goes brings it back instead of starting another")
    func raceParked() {
        var bench = serving(order(idleAfter: .seconds(10)))
        bench.publishesAtOnce = false
        bench.pass(.seconds(11))
        bench.parked[web] = 1
        bench.send(.demanded(revision: web))
        bench.publishesAtOnce = true
        bench.finishPublications()
        #expect(bench.started.count == 1)
        #expect(bench.stopped.isEmpty)
        #expect(bench.edge[web] == [bench.started[0].id])
    }

    @Test("failed starts are tried again after 1, 2, 4 … 60 s, and waiting requests are told why")
    func backoff() {
        var bench = SupplyBench()
        bench.startFailure = "exited with code 3"
        bench.send(.assigned([order(min: 1)], isComplete: true))
        var starts: [ContinuousClock.Instant] = [bench.now]
        bench.pass(.seconds(400)) { bench in
            while starts.count < bench.started.count { starts.append(bench.now) }
        }
        #expect(bench.started.count >= 9)
        #expect(bench.started.count <= 12)
        let trouble = bench.state.troubles.first
        #expect(trouble?.message == "exited with code 3")
        #expect(trouble?.failures == bench.started.count)
        bench.parked[web] = 3
        bench.send(.demanded(revision: web))
        #expect(bench.failed[web]?.contains("exited with code 3") == true)
    }

    @Test("a first failure is not tried again at once, although a request waits")
    func firstFailure() {
        var bench = SupplyBench()
        bench.startFailure = "exited with code 3"
        bench.send(.assigned([order()], isComplete: true))
        bench.offer(1, to: web, cap: 100)
        #expect(bench.started.count == 1)
        #expect(bench.failed[web] != nil)
        bench.startFailure = nil
        bench.pass(.seconds(2))
        bench.offer(1, to: web, cap: 100)
        #expect(bench.edge[web]?.count == 1)
        #expect(bench.state.troubles.count == 1)
        bench.pass(.seconds(61)) { $0.offer(1, to: web, cap: 100) }
        #expect(bench.state.troubles.isEmpty, "a runner that lived for a minute ends the trouble")
    }

    @Test("new settings are tried at once, whatever the old ones came to")
    func backoffEndsWithNewSettings() {
        var bench = SupplyBench()
        bench.startFailure = "exited with code 3"
        bench.send(.assigned([order(min: 1)], isComplete: true))
        bench.pass(.seconds(100))
        bench.startFailure = nil
        bench.send(.assigned([order(min: 1, executable: "mended")], isComplete: true))
        #expect(bench.edge[web]?.count == 1)
    }

    @Test("a runner that ends by itself leaves the edge at once, and is replaced while requests need it")
    func crash() {
        var bench = serving(order())
        let runner = bench.started[0].id
        bench.crash(runner, "killed by signal 9 (out of memory: limit 256Mi)")
        #expect(bench.edge[web] == [])
        #expect(bench.state.runners.isEmpty)
        #expect(bench.state.troubles.first?.message == "killed by signal 9 (out of memory: limit 256Mi)")
        bench.pass(.seconds(2))
        bench.offer(1, to: web, cap: 100)
        #expect(bench.edge[web]?.count == 1)
    }

    @Test("a restart starts new runners first, and takes one old for each new")
    func rollingRestart() {
        var bench = serving(order(min: 3))
        #expect(bench.edge[web]?.count == 3)
        let old = Set(bench.started.map(\.id))
        bench.startsAtOnce = false
        bench.send(.assigned([order(min: 3, restart: 1)], isComplete: true))
        #expect(Set(bench.edge[web] ?? []) == old, "old runners serve until new ones are ready")
        #expect(bench.waitingStarts.count == 3)
        bench.finishStarts()
        #expect(bench.edge[web]?.count == 3)
        #expect(Set(bench.edge[web] ?? []).isDisjoint(with: old))
        #expect(Set(bench.stopped) == old)
        #expect(bench.state.runners.map(\.restartNumber) == [1, 1, 1])
    }

    @Test("an old runner finishes its requests before it is stopped, at most as long as a request may take")
    func drainBeforeStop() {
        var bench = serving(order())
        let old = bench.started[0].id
        bench.inFlight[old] = 1
        bench.send(.assigned([order(executable: "other")], isComplete: true))
        #expect(bench.edge[web]?.contains(old) == false)
        bench.pass(.seconds(20))
        #expect(bench.stopped.isEmpty)
        #expect(bench.state.runners.first { $0.id == old }?.state == .draining)
        bench.inFlight[old] = 0
        bench.pass(.seconds(1))
        #expect(bench.stopped == [old])
    }

    @Test("a request that takes longer than it may does not hold its old runner for ever")
    func drainBound() {
        var bench = serving(order())
        let old = bench.started[0].id
        bench.inFlight[old] = 1
        bench.send(.assigned([order(executable: "other")], isComplete: true))
        bench.pass(.seconds(31))
        #expect(bench.stopped == [old])
    }

    @Test("old runners go on while the new ones fail")
    func brokenReplacement() {
        var bench = serving(order())
        let old = bench.started[0].id
        bench.startFailure = "exited with code 3"
        bench.send(.assigned([order(executable: "broken")], isComplete: true))
        bench.pass(.seconds(30)) { $0.offer(1, to: web, cap: 100) }
        #expect(bench.edge[web] == [old])
        #expect(bench.failed.isEmpty)
    }

    @Test("a revision that is missing loses its runners, one in an incomplete list keeps them")
    func missingRevision() {
        var bench = serving(order(min: 2))
        let key = "default/web-00002"
        bench.send(.assigned([order(key)], isComplete: false))
        #expect(bench.stopped.isEmpty)
        bench.send(.assigned([order(key)], isComplete: true))
        #expect(bench.stopped.count == 2)
        #expect(bench.state.isEmpty)
        bench.parked[web] = 1
        bench.send(.demanded(revision: web))
        #expect(bench.failed[web]?.contains("not assigned") == true)
    }

    @Test("a start that nobody wants any more is stopped as soon as there is something to stop")
    func abandoned() {
        var bench = SupplyBench()
        bench.startsAtOnce = false
        bench.send(.assigned([order(min: 1)], isComplete: true))
        bench.send(.assigned([], isComplete: true))
        #expect(!bench.state.isEmpty)
        bench.finishStarts()
        #expect(bench.stopped.count == 1)
        #expect(bench.state.isEmpty)
        #expect(bench.edge[web] == nil)
    }

    @Test("shutting down stops every runner and starts none")
    func shutDown() {
        var bench = serving(order(min: 3))
        bench.send(.shutDown)
        #expect(bench.stopped.count == 3)
        #expect(bench.state.isEmpty)
        bench.send(.assigned([order(min: 3)], isComplete: true))
        #expect(bench.state.isEmpty, "nothing is started any more")
    }

    @Test(
        "whatever happens in whichever order, no request is cut, no bound broken, and calm brings the least back",
        arguments: 0..<20
    )
    func anything(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var bench = SupplyBench(seed: UInt64(seed))
        var orders = [order(min: 1, max: 4, target: 2, idleAfter: .seconds(5))]
        bench.send(.assigned(orders, isComplete: true))
        for _ in 0..<150 {
            switch random.next() % 12 {
            case 0: bench.startsAtOnce.toggle()
            case 1: bench.publishesAtOnce.toggle()
            case 2: bench.finishStarts()
            case 3: bench.finishPublications()
            case 4: bench.startFailure = random.next() % 3 == 0 ? "exited with code 1" : nil
            case 5: if let victim = bench.edge[web]?.first, bench.alive.contains(victim) { bench.crash(victim) }
            case 6:
                let restart = orders[0].assignment.restartNumber + 1
                orders = [order(min: 1, max: 4, target: 2, idleAfter: .seconds(5), restart: restart)]
                bench.send(.assigned(orders, isComplete: true))
            case 7: bench.pass(.milliseconds(Int64(random.next() % 8000)))
            default: bench.offer(Int(random.next() % 20), to: web, cap: 4)
            }
            let picked = bench.edge[web]?.count ?? 0
            if picked > 4 { Issue.record("old and new together: \(picked)") }
        }
        bench.startsAtOnce = true
        bench.publishesAtOnce = true
        bench.startFailure = nil
        bench.inFlight = [:]
        bench.parked = [:]
        bench.finishStarts()
        bench.finishPublications()
        bench.pass(.seconds(100))
        #expect(bench.edge[web]?.count == 1)
        #expect(bench.alive.count == 1)
    }
}

/// A small seeded generator (SplitMix64).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
