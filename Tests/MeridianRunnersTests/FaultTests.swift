// FaultTests: what breaks around runners: it is outlived, and said.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("Faults around runners", .enabled(if: canSandbox), .serialized)
struct FaultTests {
    @Test("a runner whose init is killed ends with its signal, leaves nothing, and its id is free")
    func runnerKilled() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["fork", "5"])
            let serving = try await lab.start(["serve"], id: "hello-00001-b")
            try await lab.runners.waitReady(serving)
            kill(serving.pid, SIGKILL)
            let exit = try await lab.finish(serving).exit
            #expect(exit.cause == .signal(SIGKILL))
            #expect(exit.message == "killed by signal 9")
            await lab.runners.stop(handle, grace: .zero)
            #expect(try lab.groups() == [])
            let again = try await lab.start(["serve"], id: "hello-00001-b")
            try await lab.runners.waitReady(again)
            await lab.runners.stop(again, grace: .zero)
        }
    }

    @Test("a cgroup that cannot be removed is said, hinders no start, and goes when it can")
    func groupBusy() async throws {
        try await Lab.with { lab in
            guard lab.runners.cgroups.version != .none else { return print("skipped: no cgroups") }
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            let groups = try lab.groups()
            let group = try #require(groups.first)
            let squatter = try #require(spawnCommand(["sleep", "600"]))
            defer { kill(squatter, SIGKILL) }
            try writeValue(String(squatter), to: "\(group)/cgroup.procs")
            await lab.runners.stop(handle, grace: .zero)
            #expect(
                lab.runners.protections["cgroup"]?.hasSuffix("1 group of an ended runner is busy and removed later")
                    == true
            )
            let next = try await lab.start(["serve"])
            try await lab.runners.waitReady(next)
            await lab.runners.stop(next, grace: .zero)
            kill(squatter, SIGKILL)
            var status: Int32 = 0
            waitpid(squatter, &status, 0)
            #expect(try await eventually { lab.runners.protections["cgroup"]?.contains("busy") == false })
            #expect(try lab.groups() == [])
        }
    }

    @Test("on a full disk runners start and serve; the log says what is missing once there is room")
    func diskFull() async throws {
        let disk = try #require(SmallDisk())
        let lab = try Lab(directory: disk.path)
        try await lab.runners.warmUp()
        disk.fill()
        let handle = try await lab.start(["serve"], id: "full")
        let news = lab.runners.logs.follow(revision: "default/hello-00001")
        try await lab.runners.waitReady(handle)
        let answer = try await lab.request(handle)
        #expect(answer.hasSuffix("hello"))
        let chatty = try await lab.start(["flood", "20"], id: "chatty")
        _ = try await lab.finish(chatty)
        var seen: [String] = []
        for await line in news where line.runner == "chatty" {
            seen.append(line.text)
            if line.text.hasPrefix("exited") { break }
        }
        #expect(
            seen.contains("the log cannot be written (No space left on device): only who follows it sees what comes")
        )
        #expect(seen.contains("line 19"))
        disk.free()
        await lab.runners.stop(handle, grace: .zero)
        let later = try await lab.run(["flood", "3"]).output
        #expect(later.suffix(3) == ["line 0", "line 1", "line 2"])
        await lab.runners.shutdown(grace: .zero)
    }

    @Test("a log goes on when there is room again, and counts what is missing")
    func logAgain() throws {
        let disk = try #require(SmallDisk())
        let path = "\(disk.path)/r.log"
        let log = RunnerLog(runner: "r", revision: "default/a-00001", path: path, feed: LogFeed())
        log.add(Array("first\n".utf8)[...], .output)
        disk.fill()
        let block = Array((String(repeating: "y", count: 4000) + "\n").utf8)
        for _ in 0..<10 { log.add(block[...], .output) }
        disk.free()
        log.add(Array("again\n".utf8)[...], .output)
        let lines = try readText(path).split(separator: "\n").map(String.init)
        #expect(lines.first?.hasSuffix(" first") == true)
        #expect(lines.last?.hasSuffix(" again") == true)
        #expect(lines.contains { $0.hasSuffix("lines are missing here: No space left on device") })
        #expect(lines.allSatisfy { LogLine(fileText: $0[...], runner: "r") != nil })
    }
}

/// A file system of some mebibytes, to be filled; it goes with the value.
final class SmallDisk: Sendable {
    let path: String

    /// Nil where nothing can be mounted.
    init?() {
        guard let path = temporaryDirectory() else { return nil }
        self.path = path
        guard runCommand(["mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "small", path]) == 0 else { return nil }
    }

    /// Leaves not a byte.
    func fill() {
        runCommand(["sh", "-c", "dd if=/dev/zero of=\(path)/filler bs=4k 2>/dev/null; true"])
    }

    func free() { runCommand(["rm", "\(path)/filler"]) }

    deinit {
        // Lazily: an ended runner's namespace may hold it for moments.
        runCommand(["umount", "-l", path])
        runCommand(["rmdir", path])
    }
}
