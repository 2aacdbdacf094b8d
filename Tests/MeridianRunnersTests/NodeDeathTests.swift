// NodeDeathTests: what becomes of runners when their node's process is killed, with a process of its own as the node.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

/// The data directory of this process where it is the stand-in, see `StandIn.start`.
private let standInDirectory: String? = getenv("MERIDIAN_TEST_STAND_IN").map { String(cString: $0) }

@Suite("The node's process in the tests of its death", .enabled(if: standInDirectory != nil))
struct StandInNodeTests {
    /// A stand-in that is forgotten ends by itself.
    private static let secondsMax = 60

    @Test("starts a runner, says so, and waits to be killed")
    func live() async throws {
        let lab = try Lab(directory: standInDirectory)
        let handle = try await lab.start(["serve"])
        try await lab.runners.waitReady(handle)
        let zygote = try await lab.runners.readyZygote()
        let facts = ["\(zygote.pid)", "\(handle.pid)"] + lab.runners.cgroups.directories
        let write = "echo '\(facts.joined(separator: " "))' > $0.new && mv $0.new $0"
        runCommand(["sh", "-c", write, "\(lab.directory)/facts"])
        sleep(UInt32(Self.secondsMax))
    }
}

/// A node in a process of its own: this test program once more, with only the suite above.
private struct StandIn {
    let pid: Int32
    let zygote: Int32
    /// The runner's init and its program, by their numbers on the host.
    let processes: [Int32]
    let cgroups: [String]

    static func start(in directory: String) async throws -> StandIn {
        let program = try #require(realpath("/proc/self/exe", nil))
        defer { free(program) }
        let command = [
            "env", "MERIDIAN_TEST_STAND_IN=\(directory)", String(cString: program), "--testing-library",
            "swift-testing", "--filter", "StandInNodeTests",
        ]
        let pid = try #require(spawnCommand(command, output: "\(directory)/output"))
        let facts = "\(directory)/facts"
        guard try await eventually({ fileExists(facts) }) else {
            kill(pid, SIGKILL)
            throw SystemError("start the stand-in: \((try? readText("\(directory)/output")) ?? "")", code: ETIME)
        }
        let words = try readText(facts).split(whereSeparator: \.isWhitespace).map(String.init)
        let numbers = words.prefix(2).compactMap { Int32($0) }
        try #require(numbers.count == 2)
        let children = try readText("/proc/\(numbers[1])/task/\(numbers[1])/children")
        let programs = children.split(separator: " ").compactMap { Int32($0) }
        try #require(!programs.isEmpty)
        return StandIn(
            pid: pid,
            zygote: numbers[0],
            processes: [numbers[1]] + programs,
            cgroups: Array(words.dropFirst(2))
        )
    }

    func killNode() {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let status = try? readText("/proc/\(pid)/stat") else { return false }
        return !status.contains(") Z")
    }
}

@Suite("The death of a node", .enabled(if: canSandbox), .serialized)
struct NodeDeathTests {
    @Test("a node killed by SIGKILL leaves no launcher, no process of a runner and no cgroup")
    func killed() async throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let node = try await StandIn.start(in: directory)
        #expect(node.processes.allSatisfy(StandIn.isAlive))
        node.killNode()
        #expect(try await eventually { !([node.zygote] + node.processes).contains(where: StandIn.isAlive) })
        #expect(!node.cgroups.contains(where: fileExists))
    }

    @Test("with its launcher killed too no process is left, and the next node removes the cgroups")
    func killedWithLauncher() async throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let node = try await StandIn.start(in: directory)
        // The node must not clean up between the two.
        kill(node.pid, SIGSTOP)
        kill(node.zygote, SIGKILL)
        node.killNode()
        #expect(try await eventually { !node.processes.contains(where: StandIn.isAlive) })
        let groups = node.cgroups.map { "\($0)/shell.0" }
        #expect(groups.allSatisfy(fileExists))
        let next = try Lab(directory: directory)
        #expect(next.runners.cgroups.directories == node.cgroups)
        #expect(!groups.contains(where: fileExists))
        await next.close()
    }

    @Test("the next node kills what still runs in an earlier one's cgroups, and no other process")
    func leftOver() async throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let tree = CgroupTree.prepare(dataDirectory: directory)
        guard tree.version != .none else { return print("skipped: \(tree.words)") }
        let inside = try #require(spawnCommand(["sleep", "60"]))
        let outside = try #require(spawnCommand(["sleep", "60"]))
        for group in tree.directories.map({ "\($0)/left" }) {
            try tree.files.make(group)
            try tree.files.write("\(inside)", to: "\(group)/cgroup.procs")
        }
        CgroupTree.prepare(dataDirectory: directory).sweep()
        #expect(try await eventually { !StandIn.isAlive(inside) })
        #expect(StandIn.isAlive(outside))
        #expect(!tree.directories.contains(where: fileExists))
        for pid in [inside, outside] {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
    }

    @Test("a launcher whose node has closed the connection takes everything along, the cgroups too")
    func closed() async throws {
        let lab = try Lab()
        let handle = try await lab.start(["serve"])
        let directories = lab.runners.cgroups.directories
        #expect(directories.allSatisfy(fileExists))
        let zygote = try await lab.runners.readyZygote()
        zygote.end()
        await zygote.ended.value
        #expect(kill(handle.pid, 0) == -1)
        #expect(!directories.contains(where: fileExists))
        await lab.close()
    }
}
