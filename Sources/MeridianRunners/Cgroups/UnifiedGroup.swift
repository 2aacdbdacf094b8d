// UnifiedGroup: finds the cgroup v2 group in which this node may make groups of its own, and makes room there.
internal import Glibc

/// The node's place in the unified hierarchy (cgroup-v2 in the kernel's documentation).
///
/// A group other than the root can hand controllers down only while it holds no process itself.
struct UnifiedGroup {
    /// What runners are limited by.
    static let controllers = ["memory", "cpu", "pids"]
    /// Where the processes go that stand in a group which hands controllers down.
    static let leafName = "meridian-node"
    /// Processes may be started while others are moved; past this many rounds something else is wrong.
    private static let movesMax = 8

    /// Where the hierarchy is mounted.
    let mount: String
    /// The group that this process is in.
    let own: String
    let files: any CgroupFiles

    /// The group below which the node makes its own, with the controllers handed down; nil where there is none.
    ///
    /// First the node's own group, so that limits on the node hold for its runners: possible where it is a service with
    /// `Delegate=yes` or a container. Else the root, as container runtimes do (a login session is systemd's, and its
    /// processes must not be moved).
    func base() -> String? {
        // A node that is started anew by a process of an earlier one begins in the leaf.
        let group = own.hasSuffix("/" + Self.leafName) ? String(own.dropLast(Self.leafName.count + 1)) : own
        if handsDown(group, mayMove: group == mount || files.isDelegated(group)) { return group }
        return group != mount && handsDown(mount, mayMove: false) ? mount : nil
    }

    private func handsDown(_ group: String, mayMove: Bool) -> Bool {
        // Not readable: not ours to use.
        guard let offered = try? files.read("\(group)/cgroup.controllers"),
            Set(Self.controllers).isSubset(of: offered.split(whereSeparator: \.isWhitespace).map(String.init))
        else { return false }
        for _ in 0..<Self.movesMax {
            do throws(SystemError) {
                try Self.delegate(from: group, files)
                return true
            } catch  where error.code == EBUSY && mayMove {
                guard moveMembers(of: group) else { return false }
            } catch {
                return false
            }
        }
        return false
    }

    /// Switches the controllers on for the groups inside `directory` (`cgroup.subtree_control`).
    static func delegate(from directory: String, _ files: any CgroupFiles) throws(SystemError) {
        let value = controllers.map { "+\($0)" }.joined(separator: " ")
        try files.write(value, to: "\(directory)/cgroup.subtree_control")
    }

    /// Moves every process of the group, not this one alone: the control plane stands beside its node.
    private func moveMembers(of group: String) -> Bool {
        let leaf = "\(group)/\(Self.leafName)"
        do throws(SystemError) {
            try files.make(leaf)
        } catch {
            guard error.code == EEXIST else { return false }
        }
        guard let members = try? files.read("\(group)/cgroup.procs") else { return false }
        for member in members.split(separator: "\n") {
            do throws(SystemError) {
                try files.write(String(member), to: "\(leaf)/cgroup.procs")
            } catch {
                // ESRCH: it has ended meanwhile.
                guard error.code == ESRCH else { return false }
            }
        }
        return true
    }
}
