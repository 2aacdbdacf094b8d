// CgroupMounts: which cgroup hierarchies the machine has and which cgroup this process is in.
internal import Glibc

/// The answer of /proc/self/mountinfo and /proc/self/cgroup (cgroups(7)).
enum CgroupMounts {
    /// What was found; `.none` where nothing usable is mounted.
    struct Found {
        let version: CgroupTree.Version
        let hierarchies: [CgroupTree.Hierarchy]
    }

    /// v2 where it offers memory, cpu and pids to this process, else v1 where memory and pids are mounted.
    static func read() throws(SystemError) -> Found {
        let mounts = parse(mountinfo: try readText("/proc/self/mountinfo"))
        let own = parse(cgroup: try readText("/proc/self/cgroup"))
        if let unified = unified(mounts, own) { return unified }
        return separate(mounts, own)
    }

    /// Switches the controllers on for the groups inside `directory` (cgroup v2, `cgroup.subtree_control`).
    static func delegate(from directory: String) throws(SystemError) {
        try writeValue("+memory +cpu +pids", to: "\(directory)/cgroup.subtree_control")
    }

    struct Mount {
        let point: String
        let root: String
        let type: String
        let options: [String]
    }

    /// Lines such as `36 25 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory` (proc_pid_mountinfo(5)).
    static func parse(mountinfo text: String) -> [Mount] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
            let type = fields[dash + 1]
            guard type == "cgroup" || type == "cgroup2" else { return nil }
            let options = fields[dash + 3].split(separator: ",").map(String.init)
            return Mount(point: fields[4], root: fields[3], type: type, options: options)
        }
    }

    /// Lines such as `4:memory:/system.slice/meridian`; the v2 line has the empty controller.
    static func parse(cgroup text: String) -> [String: String] {
        var paths: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(controller)] = String(fields[2])
            }
        }
        return paths
    }

    private static func unified(_ mounts: [Mount], _ own: [String: String]) -> Found? {
        guard let mount = mounts.first(where: { $0.type == "cgroup2" }), let path = own[""] else { return nil }
        let base = join(mount, path)
        // Not readable: not ours to use.
        guard let offered = try? readText("\(base)/cgroup.controllers") else { return nil }
        let controllers = offered.split(whereSeparator: \.isWhitespace).map(String.init)
        let used = ["memory", "cpu", "pids"]
        guard Set(used).isSubset(of: controllers), makeRoom(in: base) else { return nil }
        return Found(version: .v2, hierarchies: [.init(controllers: used, base: base)])
    }

    /// A v2 cgroup that hands controllers down may hold no process itself: this one moves into a leaf where it must.
    private static func makeRoom(in base: String) -> Bool {
        do throws(SystemError) {
            try delegate(from: base)
            return true
        } catch  where error.code == EBUSY {
            let leaf = "\(base)/meridian-node"
            guard mkdir(leaf, 0o755) == 0 || errno == EEXIST else { return false }
            do throws(SystemError) {
                try writeValue("0", to: "\(leaf)/cgroup.procs")
                try delegate(from: base)
                return true
            } catch {
                return false
            }
        } catch {
            return false
        }
    }

    private static func separate(_ mounts: [Mount], _ own: [String: String]) -> Found {
        var hierarchies: [CgroupTree.Hierarchy] = []
        for controller in CgroupTree.controllersWanted {
            guard let path = own[controller],
                let mount = mounts.first(where: { $0.type == "cgroup" && $0.options.contains(controller) })
            else { continue }
            hierarchies.append(.init(controllers: [controller], base: join(mount, path)))
        }
        let found = Set(hierarchies.flatMap(\.controllers))
        guard found.isSuperset(of: ["memory", "pids"]) else { return Found(version: .none, hierarchies: []) }
        return Found(version: .v1, hierarchies: hierarchies)
    }

    /// The directory of a cgroup below a mount, which may show a part of the hierarchy only (in a container).
    private static func join(_ mount: Mount, _ path: String) -> String {
        let inside = mount.root != "/" && path.hasPrefix(mount.root) ? String(path.dropFirst(mount.root.count)) : path
        return inside == "/" || inside.isEmpty ? mount.point : mount.point + inside
    }
}
