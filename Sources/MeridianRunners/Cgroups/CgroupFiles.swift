// CgroupFiles: the calls on the cgroup file system that runners need, so that tests can put the kernel's rules behind them.
internal import CLinux
internal import Glibc

/// A cgroup file system (cgroups(7)); paths are absolute.
protocol CgroupFiles: Sendable {
    /// The text of a group's file.
    func read(_ path: String) throws(SystemError) -> String

    /// Writes one value into a group's file, in one call as the kernel wants it.
    func write(_ value: String, to path: String) throws(SystemError)

    /// Makes a group; EEXIST where there is one.
    func make(_ directory: String) throws(SystemError)

    /// Removes a group; EBUSY while it has processes or groups, ENOENT where there is none.
    func remove(_ directory: String) throws(SystemError)

    /// The names of the groups inside a group.
    func groups(in directory: String) throws(SystemError) -> [String]

    /// Whether systemd handed the group to its service (`Delegate=yes`).
    func isDelegated(_ directory: String) -> Bool

    /// Kills the processes of a group, one by one.
    func killMembers(of directory: String)
}

/// The kernel's own.
struct KernelCgroupFiles: CgroupFiles {
    func read(_ path: String) throws(SystemError) -> String { try readText(path) }

    func write(_ value: String, to path: String) throws(SystemError) { try writeValue(value, to: path) }

    func make(_ directory: String) throws(SystemError) {
        guard mkdir(directory, 0o755) == 0 else { throw SystemError("make \(directory)") }
    }

    func remove(_ directory: String) throws(SystemError) {
        guard rmdir(directory) == 0 else { throw SystemError("remove \(directory)") }
    }

    func groups(in directory: String) throws(SystemError) -> [String] {
        try listDirectory(directory).filter { fileExists("\(directory)/\($0)/cgroup.procs") }
    }

    func isDelegated(_ directory: String) -> Bool { clinux_cgroup_is_delegated(directory) == 1 }

    func killMembers(of directory: String) {
        let members = "\(directory)/cgroup.procs"
        for member in Self.numbers(members) where member > 1 {
            let raw = clinux_pidfd_open(member)
            // ESRCH: it has ended.
            guard raw >= 0 else { continue }
            let process = Descriptor(owning: raw)
            // The number may have gone to a stranger between reading and opening; a member it still is cannot be one.
            guard Self.numbers(members).contains(member) else { continue }
            _ = clinux_pidfd_signal(process.raw, SIGKILL)
        }
    }

    /// Process ids, one a line; none where the group is gone.
    private static func numbers(_ path: String) -> [Int32] {
        ((try? readText(path)) ?? "").split(separator: "\n").compactMap { Int32($0) }
    }
}
