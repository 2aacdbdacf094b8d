// SupplyScalingTests: how many runners there are for which load, in virtual time.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode

@Suite("Scaling of a revision")
struct SupplyScalingTests {
    private func bench(_ orders: RevisionOrder...) -> SupplyBench {
        var bench = SupplyBench()
        bench.send(.assigned(orders, isComplete: true))
        return bench
    }

    @Test("a waiting request starts one runner at once, and the edge gets it when it is ready")
    func fromZero() {
        var bench = bench(order())
        #expect(bench.started.isEmpty)
        #expect(bench.state.nextWake(after: bench.now) == nil, "an idle node wakes up")
        bench.startsAtOnce = false
        bench.offer(1, to: web, cap: 100)
        #expect(bench.started.count == 1)
        #expect(bench.edge[web] == nil)
        bench.offer(1, to: web, cap: 100)
        #expect(bench.started.count == 1, "the same request is no reason for a second runner")
        bench.finishStarts()
        #expect(bench.edge[web] == [bench.started[0].id])
        #expect(bench.state.runners.map(\.state) == [.ready])
    }

    @Test("a burst starts as many as it needs, at most four at a time and never more than the most")
    func burst() {
        var bench = bench(order(max: 10))
        bench.startsAtOnce = false
        bench.offer(1000, to: web, cap: 100)
        var rounds = 0
        while !bench.waitingStarts.isEmpty, rounds < 20 {
            #expect(bench.waitingStarts.count <= SupplyState.startsInParallelMax)
            bench.finishStarts()
            rounds += 1
        }
        #expect(bench.edge[web]?.count == 10)
        bench.pass(.seconds(5)) { $0.offer(1000, to: web, cap: 100) }
        #expect(bench.started.count == 10)
    }

    @Test("120 waiting requests at a target of 50 start three runners")
    func asManyAsNeeded() {
        var bench = bench(order())
        bench.startsAtOnce = false
        bench.offer(120, to: web, cap: 100)
        #expect(bench.started.count == 3)
    }

    @Test("requests in flight above the target start another runner within seconds, a flash does not")
    func aboveTheTarget() {
        var bench = bench(order(min: 1))
        bench.pass(.seconds(5)) { $0.offer(10, to: web, cap: 100) }
        bench.offer(90, to: web, cap: 100)
        bench.send(.ticked)
        #expect(bench.started.count == 1)
        bench.pass(.seconds(3)) { $0.offer(90, to: web, cap: 100) }
        #expect(bench.started.count == 2)
    }

    @Test("a load that swings between 10 and 400 every second starts no runner again and again")
    func oscillation() {
        var bench = bench(order())
        let begin = bench.now
        bench.offer(10, to: web, cap: 100)
        bench.pass(.seconds(300)) { bench in
            let isHigh = Int((bench.now - begin).components.seconds) % 2 == 0
            bench.offer(isHigh ? 400 : 10, to: web, cap: 100)
        }
        #expect(bench.started.count <= 8)
        #expect(bench.stopped.isEmpty)
    }

    @Test("the last runner goes after the idle time, not before, and then nothing wakes up but to forget it")
    func toZero() {
        var bench = bench(order(idleAfter: .seconds(60)))
        bench.offer(1, to: web, cap: 100)
        bench.offer(0, to: web, cap: 100)
        bench.pass(.seconds(58))
        #expect(bench.stopped.isEmpty)
        bench.pass(.seconds(4))
        #expect(bench.stopped.count == 1)
        #expect(bench.state.isEmpty)
        #expect(bench.state.nextWake(after: bench.now).map { $0 - bench.now > .seconds(200) } == true)
        bench.pass(ShellDemand.span)
        #expect(bench.state.nextWake(after: bench.now) == nil)
    }

    @Test("a request within the idle time keeps the runner")
    func activity() {
        var bench = bench(order(idleAfter: .seconds(60)))
        bench.offer(1, to: web, cap: 100)
        bench.offer(0, to: web, cap: 100)
        bench.pass(.seconds(50))
        bench.touch(bench.started[0].id)
        bench.pass(.seconds(50))
        #expect(bench.stopped.isEmpty)
    }

    @Test("the least number of runners is started without a request and never goes below")
    func minimum() {
        var bench = bench(order(min: 2))
        #expect(bench.started.count == 2)
        bench.pass(.seconds(600))
        #expect(bench.stopped.isEmpty)
        bench.crash(bench.started[0].id)
        bench.pass(.seconds(3))
        #expect(bench.edge[web]?.count == 2)
    }

    @Test("a runner with a request in flight is never stopped, however long it takes")
    func busy() {
        var bench = bench(order(idleAfter: .seconds(1)))
        bench.offer(1, to: web, cap: 100)
        bench.offer(1, to: web, cap: 100)
        bench.pass(.seconds(600))
        #expect(bench.stopped.isEmpty)
    }

    @Test("few requests leave surplus runners without any, so that they go, and stay with one")
    func surplus() {
        var bench = bench(order(idleAfter: .seconds(30)))
        bench.offer(500, to: web, cap: 100)
        bench.pass(.seconds(2)) { $0.offer(500, to: web, cap: 100) }
        #expect(bench.edge[web]?.count == 10)
        // One request at a time, each on another of the runners that the edge knows.
        var turn = 0
        bench.pass(.seconds(60)) { bench in
            turn += 1
            guard let runners = bench.edge[web], !runners.isEmpty else { return }
            for runner in runners { bench.inFlight[runner] = 0 }
            bench.touch(runners[turn % runners.count])
            bench.inFlight[runners[turn % runners.count]] = 1
        }
        #expect(bench.alive.count == 1)
    }

    @Test("a resting runner is back without a start when the load rises")
    func rested() {
        var bench = bench(order(idleAfter: .seconds(600)))
        bench.offer(200, to: web, cap: 100)
        bench.pass(.seconds(2)) { $0.offer(200, to: web, cap: 100) }
        let started = bench.started.count
        bench.pass(.seconds(20)) { $0.offer(1, to: web, cap: 100) }
        #expect(bench.edge[web]?.count == 1)
        bench.offer(200, to: web, cap: 100)
        bench.pass(.seconds(2)) { $0.offer(200, to: web, cap: 100) }
        #expect(bench.edge[web]?.count == started)
        #expect(bench.started.count == started)
    }

    @Test("programs that never get ready do not keep others from starting")
    func hanging() {
        var bench = bench(order("default/hangs-00001"), order())
        bench.startsAtOnce = false
        bench.offer(1000, to: "default/hangs-00001", cap: 100)
        #expect(bench.started.count == SupplyState.startsInParallelMax)
        bench.offer(1, to: web, cap: 100)
        bench.pass(.seconds(3))
        #expect(bench.started.contains { $0.revision == web })
    }

    @Test("ids are DNS labels with the revision's name, also for the longest name")
    func names() {
        let name = String(repeating: "a", count: 52) + "-00001"
        var names = RunnerNames(seed: 7)
        let id = names.next(for: "default/\(name)") { _ in false }
        #expect(id.hasPrefix(name + "-"))
        #expect(id.utf8.count == 63)
        #expect(names.next(for: "default/hello-00003") { _ in false }.utf8.count == "hello-00003-7k2q9".utf8.count)
    }
}
