// TopTests: the table of `meridian top`.
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian top")
struct TopTests {
    private func moment(_ answers: [String: Int], instance: String = "one", errors: Int = 0) throws -> MeasuredMoment {
        var node = NodeMeasures()
        node.node = "local"
        node.instance = instance
        node.durationBounds = [100, 2000, 3_000_000]
        node.targets = answers.sorted { $0.key < $1.key }.map { name, count in
            var target = MeasuredTarget()
            target.target = name
            target.answers = [0, 0, count, 0, 0, errors]
            target.durations = [0, count, errors, 0]
            target.bytesOut = count * 1000
            return target
        }
        node.runners = [
            MeasuredRunners(revision: "default/api-00002", state: "ready", count: 2),
            MeasuredRunners(revision: "default/api-00001", state: "stopping", count: 1),
        ]
        return try MeasuredMoment(["nodes": [node.encoded()], "silent": ["far"]])
    }

    private func table(_ before: MeasuredMoment, _ now: MeasuredMoment, byRevision: Bool = false) -> [[String]] {
        TopText(from: before, to: now, over: .seconds(2), byRevision: byRevision).lines.map {
            $0.split(separator: " ").map(String.init)
        }
    }

    @Test("apps are lines, the busiest first, with what came since the last look")
    func apps() throws {
        let before = try moment(["default/api-00001": 100, "default/api-00002": 10, "192.0.2.1:80": 5])
        let now = try moment(["default/api-00001": 120, "default/api-00002": 30, "192.0.2.1:80": 6], errors: 1)
        let lines = table(before, now)
        #expect(lines[0].prefix(5) == ["NAME", "REQ/S", "P50", "P99", "5XX"])
        #expect(lines[1] == ["default/api", "21", "2.0ms", "3.0s", "2", "0", "0", "0", "2/3", "0.0B/s", "20kB/s"])
        #expect(lines[2][0] == "192.0.2.1:80" && lines[2][1] == "1.0")
        #expect(lines[3] == ["node", "far", "does", "not", "answer"])
        #expect(table(before, now, byRevision: true).map(\.[0]).contains("default/api-00002"))
    }

    @Test("a node that began anew has counted nothing before, and who was not asked has no durations")
    func newInstance() throws {
        let before = try moment(["default/api-00001": 100])
        #expect(table(before, try moment(["default/api-00001": 6], instance: "two"))[1][1] == "3.0")
        #expect(table(before, before)[1].prefix(4) == ["default/api", "0.0", "-", "-"])
    }

    @Test("an answer of another form is refused with words")
    func refused() {
        #expect(throws: CommandFailure.self) { try MeasuredMoment(["nodes": [["node": 3]]]) }
    }
}
