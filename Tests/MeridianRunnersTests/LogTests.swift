// LogTests: lines are cut, bounded, rotated and read back in order of time.
import MeridianModel
import Synchronization
import Testing

@testable import MeridianRunners

@Suite("Runner logs")
struct LogTests {
    @Test("bytes become lines wherever they are cut; a carriage return goes; an endless line comes in pieces")
    func splitting() {
        var splitter = LineSplitter()
        #expect(splitter.add(Array("one\ntw".utf8)[...]) == ["one"])
        #expect(splitter.add(Array("o\r\n\nrest".utf8)[...]) == ["two", ""])
        #expect(splitter.finish() == "rest")
        #expect(splitter.finish() == nil)
        let pieces = splitter.add([UInt8](repeating: 65, count: 10_000)[...])
        #expect(pieces.map(\.utf8.count) == [4096, 4096])
    }

    @Test("what steers terminals or looks like another line does not get into a line")
    func printable() {
        var splitter = LineSplitter()
        #expect(splitter.add(Array("\u{1B}[31mred\u{1B}[0m\tx\u{7}\n".utf8)[...]) == ["red\tx"])
        #expect(splitter.add(Array("a\r\r\nb\u{9B}2J\u{2028}c\n".utf8)[...]) == ["a", "b2Jc"])
        #expect(splitter.add(Array("cut \u{1B}[31\n".utf8)[...]) == ["cut "])
        #expect(splitter.add([0xff, 0x41, 0x0a][...]) == ["\u{FFFD}A"])
    }

    @Test("logs of living runners are kept however many there are; of ended ones sixteen")
    func pruning() throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let logs = RunnerLogs(directory: directory)
        let living = try (0..<20).map { try logs.open("live-\($0)", revision: "default/a-00001") }
        for log in living { log.add(Array("x\n".utf8)[...], .output) }
        for number in 0..<20 {
            let log = try logs.open("ended-\(number)", revision: "default/a-00001")
            log.add(Array("x\n".utf8)[...], .output)
            log.finish("exited with code 0")
        }
        let names = try listDirectory("\(directory)/default/a-00001")
        #expect(names.filter { $0.hasPrefix("live-") }.count == 20)
        #expect(names.filter { $0.hasPrefix("ended-") }.count == RunnerLogs.runnersPerRevisionMax)
    }

    @Test("a name that leads out of the directory names no log", arguments: ["../x", "a/..", "a/b/c", "a", "/a", "a/"])
    func outside(_ name: String) {
        #expect(!RunnerLogs.isSound(name))
        #expect(throws: SystemError.self) { try RunnerLogs(directory: "/nosuch").open("r", revision: name) }
    }

    @Test("a line survives its file form; a cut one is passed over")
    func fileForm() {
        let line = LogLine(
            time: Timestamp(milliseconds: 1_700_000_000_123),
            stream: .errors,
            runner: "r",
            text: "a  b "
        )
        #expect(LogLine(fileText: line.fileText.dropLast(), runner: "r") == line)
        #expect(LogLine(fileText: "2026-11-24T22", runner: "r") == nil)
    }

    @Test("lines beyond the rate are dropped and counted, and come again later")
    func rate() throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let box = ClockBox(milliseconds: 1_000_000)
        let log = RunnerLog(
            runner: "r",
            revision: "default/a-00001",
            path: "\(directory)/r.log",
            feed: LogFeed(),
            now: { box.now }
        )
        log.add(Array(String(repeating: "x\n", count: 3000).utf8)[...], .output)
        box.advance(1000)
        log.add(Array("again\n".utf8)[...], .output)
        log.finish("exited with code 0")
        let lines = try readText("\(directory)/r.log").split(separator: "\n")
        #expect(lines.count == RunnerLog.burstLinesMax + 3)
        #expect(lines.suffix(3).first?.contains("1000 lines dropped") == true)
        #expect(log.tail.last == "again")
    }

    @Test("a full file becomes the previous one, and there are never more than two")
    func rotation() throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let box = ClockBox(milliseconds: 0)
        let log = RunnerLog(
            runner: "r",
            revision: "default/a-00001",
            path: "\(directory)/r.log",
            feed: LogFeed(),
            now: { box.now }
        )
        let block = Array((String(repeating: "y", count: 1000) + "\n").utf8)
        for _ in 0..<4000 {
            box.advance(10)
            log.add(block[...], .output)
        }
        #expect(try listDirectory(directory) == ["r.log", "r.log.1"])
        #expect(try readFile("\(directory)/r.log.1").count <= LogFile.bytesMax)
    }

    @Test("revisions of an app are its name and five digits")
    func revisions() {
        #expect(RunnerLogs.isRevision("default/hello-00003", of: "default/hello"))
        #expect(!RunnerLogs.isRevision("default/hello-world-00003", of: "default/hello"))
        #expect(!RunnerLogs.isRevision("default/hello-3", of: "default/hello"))
    }
}

/// A clock that tests turn.
private final class ClockBox: Sendable {
    private let milliseconds: Mutex<Int64>

    init(milliseconds: Int64) { self.milliseconds = Mutex(milliseconds) }

    var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }

    func advance(_ by: Int64) { milliseconds.withLock { $0 += by } }
}
