// RunnerCgroup: the cgroup of one runner: made with its limits, asked about memory, removed.
internal import Glibc
internal import MeridianModel

/// One runner's group in every hierarchy.
struct RunnerCgroup: Sendable {
    /// The group's directory in each hierarchy, with what it controls there.
    private let groups: [(controllers: [String], directory: String)]
    private let version: CgroupTree.Version

    /// Microseconds in which a runner's processor time is counted: the kernel's default (sched-bwc).
    private static let periodMicroseconds: Int64 = 100_000
    /// The least quota the kernel takes (sched-bwc): a hundredth of a processor.
    private static let quotaMicrosecondsMin: Int64 = 1000
    /// A group whose last process has just been reaped may stay busy for moments; past this it is left to the next sweep.
    private static let removalTriesMax = 200

    /// Makes the group with the template's limits; nothing is left where one of them is refused.
    ///
    /// `pids` gets one more for the runner's init.
    static func make(
        _ id: String,
        _ template: RunnerTemplate,
        in tree: CgroupTree
    ) throws(SystemError) -> RunnerCgroup {
        let groups = tree.hierarchies.map {
            (controllers: $0.controllers, directory: "\($0.base)/\(tree.parent)/\(id)")
        }
        let cgroup = RunnerCgroup(groups: groups, version: tree.version)
        do throws(SystemError) {
            for group in groups {
                guard mkdir(group.directory, 0o755) == 0 else { throw SystemError("make \(group.directory)") }
                for controller in group.controllers { try cgroup.limit(controller, group.directory, template) }
            }
        } catch {
            cgroup.remove()
            throw error
        }
        return cgroup
    }

    /// What a new runner joins: a `tasks` file per hierarchy on v1 (writing it moves one thread without the lock that
    /// makes `cgroup.procs` take 14 ms), the directory on v2; and whether it is born there.
    func openForJoining() throws(SystemError) -> (descriptors: [Descriptor], isBirthplace: Bool) {
        var descriptors: [Descriptor] = []
        for group in groups {
            let isUnified = version == .v2
            let path = isUnified ? group.directory : "\(group.directory)/tasks"
            descriptors.append(try Descriptor.open(path, isUnified ? O_RDONLY | O_DIRECTORY : O_WRONLY))
        }
        return (descriptors, version == .v2)
    }

    /// Processes that the kernel killed here because memory ran out.
    var outOfMemoryKills: Int {
        let file = version == .v2 ? "memory.events" : "memory.oom_control"
        guard let group = groups.first(where: { $0.controllers.contains("memory") }),
            // A group that is gone has killed nobody that is still asked about.
            let text = try? readText("\(group.directory)/\(file)")
        else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
    }

    /// Removes the group, whose processes have ended.
    func remove() {
        for group in groups { Self.remove(group.directory, killing: false) }
    }

    /// Removes one directory, after killing its processes where asked to.
    static func remove(_ directory: String, killing: Bool) {
        for _ in 0..<removalTriesMax {
            if rmdir(directory) == 0 || errno == ENOENT || errno == ENOTDIR { return }
            if killing { killMembers(of: directory) }
            usleep(1000)
        }
    }

    /// Pids may be reused between reading and killing only by processes born in this same group.
    private static func killMembers(of directory: String) {
        // Not readable: gone.
        let members = (try? readText("\(directory)/cgroup.procs")) ?? ""
        for member in members.split(separator: "\n") {
            if let pid = Int32(member), pid > 1 { kill(pid, SIGKILL) }
        }
    }

    private func limit(_ controller: String, _ directory: String, _ template: RunnerTemplate) throws(SystemError) {
        let memory = String(template.memory.bytes)
        let pids = String(template.pids + 1)
        let quota = String(
            max(Self.quotaMicrosecondsMin, template.cpu.millicores * Self.periodMicroseconds / 1000)
        )
        switch (version, controller) {
        case (.v1, "memory"):
            try writeValue(memory, to: "\(directory)/memory.limit_in_bytes")
            let withSwap = "\(directory)/memory.memsw.limit_in_bytes"
            if fileExists(withSwap) { try writeValue(memory, to: withSwap) }
        case (.v1, "cpu"):
            try writeValue(String(Self.periodMicroseconds), to: "\(directory)/cpu.cfs_period_us")
            try writeValue(quota, to: "\(directory)/cpu.cfs_quota_us")
        case (.v2, "memory"):
            try writeValue(memory, to: "\(directory)/memory.max")
            let swap = "\(directory)/memory.swap.max"
            if fileExists(swap) { try writeValue("0", to: swap) }
        case (.v2, "cpu"):
            try writeValue("\(quota) \(Self.periodMicroseconds)", to: "\(directory)/cpu.max")
        case (_, "pids"):
            try writeValue(pids, to: "\(directory)/pids.max")
        default:
            return
        }
    }
}
