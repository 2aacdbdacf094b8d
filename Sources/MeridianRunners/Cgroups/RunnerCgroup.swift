// RunnerCgroup: the cgroup of one runner: made with its limits, asked about memory, removed.
internal import Glibc
internal import MeridianModel
internal import MeridianPorts

/// One runner's group in every hierarchy.
struct RunnerCgroup: Sendable {
    /// The group's directory in each hierarchy, with what it controls there.
    private let groups: [(controllers: [String], directory: String)]
    private let version: CgroupTree.Version
    private let files: any CgroupFiles

    /// Microseconds in which a runner's processor time is counted: the kernel's default (sched-bwc).
    private static let periodMicroseconds: Int64 = 100_000
    /// The least processor time of a runner: the kernel takes no quota below a millisecond per period (sched-bwc).
    static let cpuMin = CPUQuantity(millicores: 10)
    /// A group whose last process has just been reaped may stay busy for moments; past this it is left to the next sweep.
    static let removalTriesMax = 200
    static let removalPauseMicroseconds: UInt32 = 1000
    /// More than any group has: all that can be had.
    private static let reclaimBytes: Int64 = 1 << 40

    /// Makes the group with the limits of the shape; nothing is left where one of them is refused.
    ///
    /// `pids` gets one more for the sandbox's init.
    static func make(
        _ id: String,
        _ shape: SandboxShape,
        in tree: CgroupTree
    ) throws(SystemError) -> RunnerCgroup {
        let groups = tree.hierarchies.map {
            (controllers: $0.controllers, directory: "\($0.base)/\(tree.parent)/\(id)")
        }
        let cgroup = RunnerCgroup(groups: groups, version: tree.version, files: tree.files)
        do throws(SystemError) {
            for group in groups {
                try cgroup.makeAnew(group.directory)
                for controller in group.controllers { try cgroup.limit(controller, group.directory, shape) }
            }
        } catch {
            // Empty, so it goes at once; a hierarchy that was not reached has nothing to remove.
            _ = cgroup.remove()
            throw error
        }
        return cgroup
    }

    /// Ids are unique among live runners, so a group of that name is what an ended one could not remove.
    private func makeAnew(_ directory: String) throws(SystemError) {
        do throws(SystemError) {
            try files.make(directory)
        } catch {
            guard error.code == EEXIST else { throw error }
            Self.sweep(directory, files)
            try files.make(directory)
        }
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
            let text = try? files.read("\(group.directory)/\(file)")
        else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix("oom_kill ") }
        return line.flatMap { Int($0.dropFirst("oom_kill ".count)) } ?? 0
    }

    /// Asks the kernel for the memory back that its processes do not need now: page cache, and what fits into swap.
    ///
    /// Takes as long as looking through it takes.
    func reclaim() {
        guard let group = groups.first(where: { $0.controllers.contains("memory") }) else { return }
        let (file, value) =
            version == .v2 ? ("memory.reclaim", String(Self.reclaimBytes)) : ("memory.force_empty", "0")
        // EAGAIN, EBUSY: not all of it could be had, as is usual; ENOENT: a kernel without, or the group is gone.
        try? files.write(value, to: "\(group.directory)/\(file)")
    }

    /// Removes the group, whose processes have ended, without waiting; false where it is still busy.
    func remove() -> Bool {
        var isGone = true
        for group in groups where !Self.remove(group.directory, files) { isGone = false }
        return isGone
    }

    private static func remove(_ directory: String, _ files: any CgroupFiles) -> Bool {
        do throws(SystemError) {
            try files.remove(directory)
            return true
        } catch {
            return error.code == ENOENT
        }
    }

    /// Kills what is left in a group and removes it; blocks for as long as dying takes.
    static func sweep(_ directory: String, _ files: any CgroupFiles) {
        for _ in 0..<removalTriesMax {
            if remove(directory, files) { return }
            do throws(SystemError) {
                try files.write("1", to: "\(directory)/cgroup.kill")
            } catch {
                // cgroup v1, or a kernel before 5.14.
                files.killMembers(of: directory)
            }
            usleep(removalPauseMicroseconds)
        }
    }

    private func limit(_ controller: String, _ directory: String, _ shape: SandboxShape) throws(SystemError) {
        let memory = String(shape.memory.bytes)
        let pids = String(shape.pids + 1)
        let quota = String(shape.cpu.millicores * Self.periodMicroseconds / 1000)
        switch (version, controller) {
        case (.v1, "memory"):
            try files.write(memory, to: "\(directory)/memory.limit_in_bytes")
            let withSwap = "\(directory)/memory.memsw.limit_in_bytes"
            try whereCounted { () throws(SystemError) in try files.write(memory, to: withSwap) }
        case (.v1, "cpu"):
            try files.write(String(Self.periodMicroseconds), to: "\(directory)/cpu.cfs_period_us")
            try files.write(quota, to: "\(directory)/cpu.cfs_quota_us")
        case (.v2, "memory"):
            try files.write(memory, to: "\(directory)/memory.max")
            let swap = "\(directory)/memory.swap.max"
            try whereCounted { () throws(SystemError) in try files.write("0", to: swap) }
        case (.v2, "cpu"):
            try files.write("\(quota) \(Self.periodMicroseconds)", to: "\(directory)/cpu.max")
        case (_, "pids"):
            try files.write(pids, to: "\(directory)/pids.max")
        default:
            return
        }
    }

    /// Swap is counted by some kernels only: the file is missing in the others.
    private func whereCounted(_ write: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try write()
        } catch {
            guard error.code == ENOENT else { throw error }
        }
    }
}
