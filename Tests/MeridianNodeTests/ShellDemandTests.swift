// ShellDemandTests: how many empty sandboxes are kept, by the starts of late.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode

@Suite("Empty sandboxes kept ready")
struct ShellDemandTests {
    private let start = ContinuousClock.now

    private func shape(_ mebibytes: Int64) -> SandboxShape {
        var template = RunnerTemplate()
        template.memory = .mebibytes(mebibytes)
        return SandboxShape(template)
    }

    @Test("one of each shape is kept before anything was started")
    func first() {
        #expect(ShellDemand().wanted(for: [shape(64), shape(128)], at: start) == [shape(64): 1, shape(128): 1])
        #expect(ShellDemand().wanted(for: [], at: start).isEmpty)
    }

    @Test("a burst keeps as many more as it took, until it is forgotten")
    func burst() throws {
        var demand = ShellDemand()
        for number in 0..<5 { demand.noteStart(shape(64), at: start + .milliseconds(100 * number)) }
        let later = start + .seconds(200)
        #expect(demand.wanted(for: [shape(64)], at: later) == [shape(64): 6])
        let change = try #require(demand.changesAt(after: later))
        #expect(change == start + ShellDemand.span)
        #expect(demand.wanted(for: [shape(64)], at: change) == [shape(64): 1])
        #expect(demand.changesAt(after: change) == nil)
    }

    @Test("starts a second apart are no burst")
    func spread() {
        var demand = ShellDemand()
        for number in 0..<50 { demand.noteStart(shape(64), at: start + .seconds(number)) }
        #expect(demand.wanted(for: [shape(64)], at: start + .seconds(50)) == [shape(64): 2])
    }

    @Test("the sum is bounded: the largest counts give way first")
    func bounded() {
        var demand = ShellDemand()
        for _ in 0..<100 { demand.noteStart(shape(64), at: start) }
        for _ in 0..<3 { demand.noteStart(shape(128), at: start) }
        let wanted = demand.wanted(for: [shape(64), shape(128)], at: start)
        #expect(wanted == [shape(64): ShellDemand.shellsMax - 4, shape(128): 4])
    }

    @Test("with more shapes than sandboxes, those started last have one")
    func manyShapes() {
        var demand = ShellDemand()
        let shapes = (1...40).map { shape($0) }
        for (number, shape) in shapes.enumerated() { demand.noteStart(shape, at: start + .seconds(2 * number)) }
        let wanted = demand.wanted(for: Set(shapes), at: start + .seconds(80))
        #expect(wanted.values.reduce(0, +) == ShellDemand.shellsMax)
        #expect(Set(wanted.keys) == Set(shapes.suffix(ShellDemand.shellsMax)))
    }

    @Test("the supply keeps them for what is assigned, and none once that is gone")
    func supply() {
        var bench = SupplyBench()
        bench.send(.assigned([order()], isComplete: true))
        #expect(bench.shells.values.reduce(0, +) == 1)
        bench.offer(1, to: web, cap: 100)
        #expect(bench.shells.values.reduce(0, +) == 2)
        bench.offer(0, to: web, cap: 100)
        bench.send(.assigned([], isComplete: true))
        bench.pass(.seconds(1))
        #expect(bench.shells.isEmpty)
    }
}
