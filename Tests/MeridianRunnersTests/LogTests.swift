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
        #expect(try readFile("\(directory)/r.log.1").count <= RunnerLog.fileBytesMax)
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

@Suite("Finding cgroups")
struct CgroupMountsTests {
    @Test("mounts and paths are read from the kernel's tables")
    func tables() {
        let mounts = CgroupMounts.parse(
            mountinfo: """
                25 1 254:0 / / rw,relatime - ext4 /dev/vda rw
                36 35 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
                40 35 0:35 /docker/a /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """
        )
        #expect(mounts.map(\.point) == ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified"])
        #expect(mounts.first?.options.contains("memory") == true)
        let paths = CgroupMounts.parse(cgroup: "4:memory:/a:b\n3:cpu,cpuacct:/c\n0::/d\n")
        #expect(paths == ["memory": "/a:b", "cpu": "/c", "cpuacct": "/c", "": "/d"])
    }
}
