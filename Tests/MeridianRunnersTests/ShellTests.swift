// ShellTests: parked shells are used, replaced, let go, and never trusted when they have ended.
import Glibc
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@testable import MeridianRunners

extension Lab {
    /// Keeps `count` shells of the shape of a template parked and waits until they are.
    func park(_ count: Int, _ change: (inout RunnerTemplate) -> Void = { _ in }) async throws {
        try await runners.warmUp()
        runners.keepReady(count == 0 ? [:] : [SandboxShape(template([], change)): count])
        try #require(try await eventually { runners.parkedCount == count })
    }

    /// The processes of the parked shells.
    var parkedPIDs: Set<Int32> {
        let shells = runners.state.withLock { $0.reserve.parked.values.flatMap { $0 } }
        return Set(shells.compactMap { $0.place?.pid })
    }

    /// The cgroups of shells, with and without a runner.
    func groups() throws -> [String] {
        try runners.cgroups.directories.flatMap { directory in
            try listDirectory(directory).filter { $0.hasPrefix("shell.") }.map { "\(directory)/\($0)" }
        }
    }
}

@Suite("Parked shells", .enabled(if: canSandbox), .serialized)
struct ShellTests {
    @Test("a start takes a parked shell of its shape, which is replaced")
    func used() async throws {
        try await Lab.with { lab in
            try await lab.park(2)
            let parked = lab.parkedPIDs
            let handle = try await lab.start(["serve"])
            #expect(parked.contains(handle.pid))
            try await lab.runners.waitReady(handle)
            #expect(try await lab.request(handle).hasSuffix("hello"))
            #expect(try await eventually { lab.runners.parkedCount == 2 })
            #expect(!lab.parkedPIDs.contains(handle.pid))
            await lab.runners.stop(handle, grace: .zero)
        }
    }

    @Test("a start of another shape gets a sandbox of its own, with its own limits")
    func otherShape() async throws {
        try await Lab.with { lab in
            try await lab.park(1)
            let parked = lab.parkedPIDs
            let handle = try await lab.start(["serve"]) { $0.pids = 17 }
            #expect(!parked.contains(handle.pid))
            #expect(lab.parkedPIDs == parked)
            await lab.runners.stop(handle, grace: .zero)
        }
    }

    @Test("two runners never share a shell, however many start at once", .timeLimit(.minutes(1)))
    func exclusive() async throws {
        try await Lab.with { lab in
            try await lab.park(4)
            let handles = try await withThrowingTaskGroup(of: RunnerHandle.self) { group in
                for number in 0..<12 { group.addTask { try await lab.start(["serve"], id: "r\(number)") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(handles.map(\.pid)).count == 12)
            #expect(Set(handles.map(\.port)).count == 12)
            for handle in handles { await lab.runners.stop(handle, grace: .zero) }
        }
    }

    @Test("a pooled runner has the writable layer, the limits and the end that a fresh one has")
    func likeFresh() async throws {
        try await Lab.with { lab in
            try await lab.park(1) { $0.filesWritable = true }
            let (_, output) = try await lab.run(["shell", "echo new > asset.txt && cat asset.txt && hostname"]) {
                $0.filesWritable = true
            }
            #expect(output == ["new", "hello-00001-a"])
            try await lab.park(1) { $0.memory = .mebibytes(32) }
            let (exit, _) = try await lab.run(["eat", "200"]) { $0.memory = .mebibytes(32) }
            #expect(exit.cause == .outOfMemory)
        }
    }

    @Test("a shell that was killed while it waited is not used, and shells that are not wanted leave nothing")
    func endedWhileParked() async throws {
        try await Lab.with { lab in
            try await lab.park(1)
            for pid in lab.parkedPIDs { kill(pid, SIGKILL) }
            #expect(try await eventually { lab.runners.parkedCount == 0 })
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            await lab.runners.stop(handle, grace: .zero)
            try await lab.park(3)
            lab.runners.keepReady([:])
            #expect(try await eventually { (try? lab.groups()) == [] })
        }
    }

    @Test("the reserve dies with its launcher and is filled again after the next start")
    func launcherKilled() async throws {
        try await Lab.with { lab in
            try await lab.park(2)
            let (parked, zygote) = (lab.parkedPIDs, try await lab.runners.readyZygote())
            kill(zygote.pid, SIGKILL)
            #expect(try await eventually { lab.runners.parkedCount == 0 && parked.allSatisfy { kill($0, 0) == -1 } })
            let handle = try await lab.start(["serve"])
            #expect(try await eventually { lab.runners.parkedCount == 2 })
            await lab.runners.stop(handle, grace: .zero)
        }
    }

    @Test("an order that cannot be given ends the shell it was for")
    func refusedOrder() async throws {
        try await Lab.with { lab in
            try await lab.park(1)
            let error = await #expect(throws: RunnerError.self) {
                try await lab.start([String(repeating: "x", count: 200_000)])
            }
            #expect(error?.message.contains("arguments and environment") == true)
            lab.runners.keepReady([:])
            #expect(try await eventually { (try? lab.groups()) == [] })
        }
    }
}

/// Counts of what starts could leave behind on the machine and in the two processes that make them.
private struct Belongings {
    let descriptors: Int
    let zygoteDescriptors: Int
    let mounts: Int
    let networks: Int
    let zygoteKibibytes: Int
    let ownKibibytes: Int

    init(_ lab: Lab) async throws {
        let zygote = try await lab.runners.readyZygote().pid
        descriptors = try listDirectory("/proc/self/fd").count
        zygoteDescriptors = try listDirectory("/proc/\(zygote)/fd").count
        mounts = try readText("/proc/\(zygote)/mountinfo").split(separator: "\n").count
        networks = try Self.networksOfMachine()
        zygoteKibibytes = try Self.kibibytes("/proc/\(zygote)/status")
        ownKibibytes = try Self.kibibytes("/proc/self/status")
    }

    /// Network namespaces that the kernel holds, for whatever reason (slabinfo(5)).
    private static func networksOfMachine() throws -> Int {
        let line = try readText("/proc/slabinfo").split(separator: "\n").first { $0.hasPrefix("net_namespace ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
    }

    private static func kibibytes(_ path: String) throws -> Int {
        let line = try readText(path).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
    }
}

@Suite("A thousand starts", .enabled(if: canSandbox), .serialized)
struct ThousandStartsTests {
    /// What the allocator of this process may keep of a thousand starts.
    private static let ownKibibytesMax = 16_384
    private static let zygoteKibibytesMax = 256
    /// Slabs are counted by the page, and other tests of the machine have networks too.
    private static let networksMax = 24

    @Test("in a row, pooled and fresh, leave no descriptor, cgroup, mount, network, process or memory")
    func nothingLeft() async throws {
        try await Lab.with { lab in
            try await lab.park(2)
            try await startAndStop(0..<50, lab)
            try await settle(lab)
            let before = try await Belongings(lab)
            try await startAndStop(50..<1050, lab)
            try await settle(lab)
            let left = try await eventually {
                guard let now = try? await Belongings(lab) else { return false }
                return now.descriptors <= before.descriptors && now.zygoteDescriptors == before.zygoteDescriptors
                    && now.networks <= before.networks + Self.networksMax
            }
            let after = try await Belongings(lab)
            #expect(left, "\(before) \(after)")
            #expect(after.mounts == before.mounts)
            #expect(after.zygoteKibibytes <= before.zygoteKibibytes + Self.zygoteKibibytesMax)
            #expect(after.ownKibibytes <= before.ownKibibytes + Self.ownKibibytesMax)
        }
    }

    private func startAndStop(_ numbers: Range<Int>, _ lab: Lab) async throws {
        for number in numbers {
            let handle = try await lab.start(["serve"], id: "r\(number)")
            try await lab.runners.waitReady(handle)
            await lab.runners.stop(handle, grace: .zero)
            #expect(kill(handle.pid, 0) == -1)
        }
    }

    /// No runner, no shell, no child of the zygote, no cgroup, and nobody remembered any more.
    private func settle(_ lab: Lab) async throws {
        try await lab.park(0)
        let zygote = try await lab.runners.readyZygote().pid
        #expect(try await eventually { (try? readText("/proc/\(zygote)/task/\(zygote)/children"))?.isEmpty == true })
        #expect(try await eventually { (try? lab.groups()) == [] })
        #expect(try await eventually { lab.runners.state.withLock { $0.departed.isEmpty } })
    }
}
