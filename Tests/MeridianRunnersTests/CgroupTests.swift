// CgroupTests: where runners' cgroups go on machines of either version, by the kernel's rules and not by this machine.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

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

    @Test("without v2 controllers the v1 hierarchies are used, each below this process's own group there")
    func hybrid() {
        let mounts = CgroupMounts(
            mountinfo: """
                36 35 0:31 / /v1/memory rw - cgroup cgroup rw,memory
                37 35 0:32 / /v1/cpu rw - cgroup cgroup rw,cpu,cpuacct
                38 35 0:33 /docker/a /v1/pids rw - cgroup cgroup rw,pids
                39 35 0:34 / /v2 rw - cgroup2 cgroup2 rw
                """,
            cgroup: "9:memory:/m\n8:cpu,cpuacct:/\n7:pids:/docker/a/b\n6:freezer:/\n0::/\n",
            files: ModelCgroups(controllers: [])
        )
        #expect(
            mounts.find()
                == CgroupMounts.Found(
                    version: .v1,
                    hierarchies: [
                        .init(controllers: ["memory"], base: "/v1/memory/m"),
                        .init(controllers: ["cpu"], base: "/v1/cpu"),
                        .init(controllers: ["pids"], base: "/v1/pids/b"),
                    ]
                )
        )
    }
}

@Suite("Cgroups of version 2")
struct UnifiedCgroupTests {
    static let parent = "/v2/system.slice/meridian.service"

    func tree(_ kernel: ModelCgroups, own: String) -> CgroupTree {
        let mounts = CgroupMounts(
            mountinfo: "35 1 0:31 / /v2 rw - cgroup2 cgroup2 rw",
            cgroup: "0::\(own)\n",
            files: kernel
        )
        return CgroupTree.prepare(mounts, dataDirectory: "/data")
    }

    /// A machine of systemd's with the node's service beside its control plane (10) and the node (11).
    func machine(delegated: Bool) throws -> ModelCgroups {
        let kernel = ModelCgroups(controllers: ["cpu", "io", "memory", "pids"])
        try kernel.write("+cpu +memory +pids", to: "/v2/cgroup.subtree_control")
        try kernel.make("/v2/system.slice")
        try kernel.write("+cpu +memory +pids", to: "/v2/system.slice/cgroup.subtree_control")
        try kernel.make(Self.parent)
        for pid in ["10", "11"] { try kernel.write(pid, to: "\(Self.parent)/cgroup.procs") }
        if delegated { kernel.delegate(Self.parent) }
        return kernel
    }

    @Test("a delegated service hands its controllers down, after all its processes have moved into a leaf")
    func delegated() throws {
        let kernel = try machine(delegated: true)
        let tree = tree(kernel, own: "/system.slice/meridian.service")
        #expect(tree.version == .v2)
        #expect(tree.directories == ["\(Self.parent)/\(tree.parent)"])
        #expect(kernel.members(of: "\(Self.parent)/meridian-node") == ["10", "11"])
        #expect(try kernel.read("\(tree.directories[0])/cgroup.subtree_control") == "cpu memory pids\n")
    }

    @Test("a node that is started anew from the leaf finds the same place and sweeps it")
    func again() throws {
        let kernel = try machine(delegated: true)
        let first = tree(kernel, own: "/system.slice/meridian.service")
        _ = try RunnerCgroup.make("left", SandboxShape(RunnerTemplate()), in: first)
        try kernel.write("99", to: "\(first.directories[0])/left/cgroup.procs")
        let second = tree(kernel, own: "/system.slice/meridian.service/meridian-node")
        #expect(second.directories == first.directories)
        #expect(try kernel.groups(in: second.directories[0]) == [])
        #expect(kernel.killed == ["99"])
    }

    @Test("a group of systemd's that is not delegated is left alone; the root is used")
    func notDelegated() throws {
        let kernel = try machine(delegated: false)
        let tree = tree(kernel, own: "/system.slice/meridian.service")
        #expect(tree.directories == ["/v2/\(tree.parent)"])
        #expect(kernel.members(of: Self.parent) == ["10", "11"])
    }

    @Test("in a container, whose root holds processes, these move into a leaf")
    func container() throws {
        let kernel = ModelCgroups(controllers: ["cpu", "memory", "pids"], isRealRoot: false)
        try kernel.write("1", to: "/v2/cgroup.procs")
        let tree = tree(kernel, own: "/")
        #expect(tree.directories == ["/v2/\(tree.parent)"])
        #expect(kernel.members(of: "/v2/meridian-node") == ["1"])
    }

    @Test("without the pids controller there is no v2, and the words say that nothing is limited")
    func controllersMissing() {
        let tree = tree(ModelCgroups(controllers: ["memory", "cpu"]), own: "/")
        #expect(tree.version == .none)
        #expect(tree.words.contains("NOT limited"))
    }

    @Test("a runner's group gets its limits in the kernel's units, and goes when it is empty")
    func limits() throws {
        let kernel = try machine(delegated: true)
        let tree = tree(kernel, own: "/system.slice/meridian.service")
        var template = RunnerTemplate()
        template.memory = .mebibytes(32)
        template.cpu = CPUQuantity(millicores: 1500)
        template.pids = 10
        let group = try RunnerCgroup.make("r", SandboxShape(template), in: tree)
        let place = "\(tree.directories[0])/r"
        #expect(try kernel.read("\(place)/memory.max") == "33554432")
        #expect(try kernel.read("\(place)/memory.swap.max") == "0")
        #expect(try kernel.read("\(place)/cpu.max") == "150000 100000")
        #expect(try kernel.read("\(place)/pids.max") == "11")
        #expect(group.outOfMemoryKills == 0)
        kernel.set("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 0\n", at: "\(place)/memory.events")
        #expect(group.outOfMemoryKills == 2)
        try kernel.write("77", to: "\(place)/cgroup.procs")
        #expect(!group.remove())
        kernel.end("77")
        #expect(group.remove())
        #expect(group.remove())
    }

    @Test("a limit that the kernel refuses leaves no group behind")
    func refused() throws {
        let kernel = try machine(delegated: true)
        let tree = tree(kernel, own: "/system.slice/meridian.service")
        kernel.refuse("cpu.max")
        #expect(throws: SystemError.self) { try RunnerCgroup.make("r", SandboxShape(RunnerTemplate()), in: tree) }
        #expect(try kernel.groups(in: tree.directories[0]) == [])
    }
}
