// StandbyTests: idle runners that are paused before they are stopped.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode

@Suite("Runners on standby")
struct StandbyTests {
    /// A revision whose one runner was used and has been paused.
    private func pausedBench(_ order: RevisionOrder = order(standby: .pause)) throws -> (SupplyBench, String) {
        var bench = SupplyBench()
        bench.send(.assigned([order], isComplete: true))
        bench.offer(1, to: web, cap: 100)
        bench.offer(0, to: web, cap: 100)
        bench.pass(.seconds(62))
        let runner = try #require(bench.started.first?.id)
        try #require(bench.paused == [runner])
        return (bench, runner)
    }

    @Test("an idle runner is paused, not stopped, and reported as paused")
    func paused() throws {
        let (bench, runner) = try pausedBench()
        #expect(bench.stopped.isEmpty)
        #expect(bench.edge[web] == [])
        #expect(bench.state.runners.map(\.state) == [.paused])
        #expect(bench.state.runners.map(\.id) == [runner])
    }

    @Test("the next request resumes it before the edge hears of it, and is warm")
    func resumed() throws {
        var (bench, runner) = try pausedBench()
        bench.offer(1, to: web, cap: 100)
        #expect(bench.started.count == 1)
        #expect(bench.paused.isEmpty)
        #expect(bench.edge[web] == [runner])
        #expect(bench.resumed[web] == [runner])
    }

    @Test("after a resumption it is paused again, and stopped when the pause has lasted")
    func lasts() throws {
        var (bench, runner) = try pausedBench()
        bench.offer(1, to: web, cap: 100)
        bench.offer(0, to: web, cap: 100)
        bench.pass(.seconds(62))
        #expect(bench.paused == [runner])
        let wake = try #require(bench.state.nextWake(after: bench.now))
        #expect(wake - bench.now > .seconds(100), "a paused runner costs no ticks")
        bench.pass(RevisionSupply.pauseMax + .seconds(1))
        #expect(bench.stopped == [runner])
        #expect(bench.state.isEmpty)
    }

    @Test("when more requests wait than it can take, others are started beside it")
    func more() throws {
        var (bench, runner) = try pausedBench(order(target: 10, standby: .pause))
        bench.offer(25, to: web, cap: 20)
        #expect(bench.edge[web]?.contains(runner) == true)
        #expect(bench.started.count == 3)
        #expect(bench.resumed[web] == [runner])
    }

    @Test("new settings, another standby, the end of the assignment or of the node stop it", arguments: 0..<4)
    func unwanted(_ change: Int) throws {
        var (bench, runner) = try pausedBench()
        switch change {
        case 0: bench.send(.assigned([order(restart: 1, standby: .pause)], isComplete: true))
        case 1: bench.send(.assigned([order(standby: .stop)], isComplete: true))
        case 2: bench.send(.assigned([], isComplete: true))
        default: bench.send(.shutDown)
        }
        #expect(bench.stopped == [runner])
        #expect(bench.paused.isEmpty)
    }

    @Test("the least number of runners is never paused")
    func minimum() {
        var bench = SupplyBench()
        bench.send(.assigned([order(min: 1, standby: .pause)], isComplete: true))
        bench.pass(.seconds(300))
        #expect(bench.paused.isEmpty)
        #expect(bench.edge[web]?.count == 1)
    }

    @Test("a paused runner that ends is forgotten without a failure")
    func ended() throws {
        var (bench, runner) = try pausedBench()
        bench.crash(runner)
        #expect(bench.state.isEmpty)
        #expect(bench.state.troubles.isEmpty)
    }

    @Test("a node keeps so many paused runners and stops those paused for the longest")
    func bounded() {
        var bench = SupplyBench()
        let count = SupplyState.pausedMax + 3
        let keys = (0..<count).map { "default/app\($0)-00001" }
        bench.send(.assigned(keys.map { order($0, standby: .pause) }, isComplete: true))
        for key in keys {
            bench.offer(1, to: key, cap: 100)
            bench.offer(0, to: key, cap: 100)
            bench.pass(.seconds(2))
        }
        bench.pass(.seconds(62))
        #expect(bench.paused.count == SupplyState.pausedMax)
        #expect(bench.stopped == bench.started.prefix(3).map(\.id))
    }
}
