// CgroupMounts: which cgroup hierarchies the machine has and which cgroup this process is in.
internal import Glibc

/// The answer of /proc/self/mountinfo and /proc/self/cgroup (cgroups(7)).
struct CgroupMounts {
    /// What was found; `.none` where nothing usable is mounted.
    struct Found: Equatable {
        let version: CgroupTree.Version
        let hierarchies: [CgroupTree.Hierarchy]
    }

    struct Mount {
        let point: String
        let root: String
        let type: String
        let options: [String]
    }

    let mounts: [Mount]
    /// This process's cgroup per controller; the v2 one under the empty name.
    let own: [String: String]
    let files: any CgroupFiles

    /// Reads the kernel's tables.
    static func read(_ files: any CgroupFiles) throws(SystemError) -> CgroupMounts {
        CgroupMounts(
            mountinfo: try readText("/proc/self/mountinfo"),
            cgroup: try readText("/proc/self/cgroup"),
            files: files
        )
    }

    init(mountinfo: String, cgroup: String, files: any CgroupFiles) {
        mounts = Self.parse(mountinfo: mountinfo)
        own = Self.parse(cgroup: cgroup)
        self.files = files
    }

    /// v2 where it offers memory, cpu and pids to this process, else v1 where memory and pids are mounted.
    func find() -> Found { unified() ?? separate() }

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

    private func unified() -> Found? {
        guard let mount = mounts.first(where: { $0.type == "cgroup2" }), let path = own[""] else { return nil }
        let group = UnifiedGroup(mount: mount.point, own: Self.join(mount, path), files: files)
        return group.base().map { base in
            Found(version: .v2, hierarchies: [.init(controllers: UnifiedGroup.controllers, base: base)])
        }
    }

    private func separate() -> Found {
        var hierarchies: [CgroupTree.Hierarchy] = []
        for controller in CgroupTree.controllersWanted {
            guard let path = own[controller],
                let mount = mounts.first(where: { $0.type == "cgroup" && $0.options.contains(controller) })
            else { continue }
            hierarchies.append(.init(controllers: [controller], base: Self.join(mount, path)))
        }
        let found = Set(hierarchies.flatMap(\.controllers))
        guard found.isSuperset(of: ["memory", "pids"]) else { return Found(version: .none, hierarchies: []) }
        return Found(version: .v1, hierarchies: hierarchies)
    }

    /// The directory of a cgroup below a mount, which may show a part of the hierarchy only (in a container).
    private static func join(_ mount: Mount, _ path: String) -> String {
        let isInside = path == mount.root || path.hasPrefix(mount.root + "/")
        let inside = mount.root != "/" && isInside ? String(path.dropFirst(mount.root.count)) : path
        return inside == "/" || inside.isEmpty ? mount.point : mount.point + inside
    }
}
