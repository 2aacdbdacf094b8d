// EscapeTests: steps out of the sandbox, each tried inside and, to prove that it can work, in a throw-away machine.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

/// The ways in which a program comes to run, each with its own mounts or filter.
enum SandboxPath: String, CaseIterable, Sendable {
    case plain, pooled, resumed, writable, killing, checked
}

@Suite("Escapes", .enabled(if: canSandbox), .serialized)
struct EscapeTests {
    static let probes = [
        "mount", "umount", "pivot_root", "open_tree", "fsopen", "unshare_user", "unshare_net", "clone_user",
        "clone3_user", "setns", "ptrace", "process_vm_readv", "bpf", "perf_event_open", "io_uring", "keyctl",
        "add_key", "raw_socket", "packet_socket", "netlink_socket", "chroot", "mknod", "setuid", "sethostname",
        "reboot", "init_module", "kexec_load", "userfaultfd", "init_memory", "init_root", "core_pattern", "sysrq",
        "sys", "host_disk", "kmsg", "usr_write", "root_write", "shadow", "tiocsti", "add_filter",
        "descriptor", "call_32_bit", "host_port", "host_process", "host_abstract",
        "unshare_mount", "unshare_pid", "unshare_ipc", "unshare_uts", "unshare_cgroup", "unshare_time",
        "clone_mount", "clone_net", "clone_pid", "setns_own_net", "setns_pidfd", "fspick", "move_mount",
        "mount_setattr", "remount", "bind_root", "mount_proc", "mount_sysfs", "mount_devtmpfs", "mount_overlay",
        "mount_cgroup", "umount_tmp", "ptrace_seize", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
        "init_environ", "init_maps", "init_descriptors", "init_directory", "init_program", "init_namespaces",
        "finit_module", "delete_module", "kexec_file_load", "syslog", "iopl", "ioperm", "settimeofday",
        "setdomainname", "acct", "fanotify", "personality", "modify_ldt", "x32_call", "name_to_handle",
        "open_by_handle", "hostname_file", "modprobe_path", "overcommit", "randomize", "kallsyms", "interrupts",
        "host_memory", "dev_mem", "dev_kvm", "dev_fuse", "dev_ptmx", "dev_tun", "mknod_char", "etc_write",
        "lib_write", "root_link", "chown_root", "file_capability", "setgid", "setgroups", "setresuid", "capset",
        "bounding_set", "securebits", "core_limit", "core_to_host", "message_queues", "realtime", "priority",
        "io_priority",
        "raw_socket_6", "audit_socket", "netfilter_socket", "crypto_socket", "machine_socket", "express_socket",
        "low_port", "lower_loopback", "address_loopback", "mark", "force_buffer", "transparent", "host_route",
        "host_metadata", "fork_bomb", "memory_bomb", "tmp_bomb", "inode_bomb",
    ]

    /// What even root cannot do on some machines: the kernel was built without it, or the machine is fenced itself.
    static let machineDependent: Set<String> = [
        "bpf", "perf_event_open", "io_uring", "userfaultfd", "sysrq", "host_disk", "kmsg", "call_32_bit", "x32_call",
        "iopl", "ioperm", "acct", "fanotify", "personality", "modify_ldt", "unshare_time", "modprobe_path", "dev_mem",
        "dev_kvm", "dev_fuse", "dev_tun", "dev_ptmx", "mount_cgroup", "mount_devtmpfs", "crypto_socket",
        "machine_socket", "express_socket", "audit_socket", "netfilter_socket", "realtime", "kcmp", "kallsyms",
        "host_route", "host_metadata", "core_limit", "message_queues", "priority", "syslog",
    ]

    /// Loading a module or a kernel has no harmless form.
    ///
    /// Outside it is enough that the kernel looks at the (wrong) arguments, which it does for those who may only.
    static let harmful: Set<String> = ["init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"]

    /// What needs no privilege: the filter alone holds these.
    static let heldByFilter: Set<String> = [
        "unshare_user", "clone_user", "clone3_user", "perf_event_open", "io_uring", "keyctl", "add_key",
        "netlink_socket", "userfaultfd", "add_filter", "call_32_bit", "x32_call", "core_to_host", "audit_socket",
        "netfilter_socket",
        "crypto_socket", "machine_socket", "personality", "modify_ldt", "name_to_handle", "syslog", "fanotify",
    ]

    @Test("none works inside, whichever way the program came to run", arguments: SandboxPath.allCases)
    func inside(_ path: SandboxPath) async throws {
        let host = try HostListener()
        // A denied call ends the program on the one path, and a port check keeps the last lines only.
        let size = path == .killing ? 1 : RunnerLog.tailLinesMax
        for start in stride(from: 0, to: Self.probes.count, by: size) {
            let probes = Self.probes[start..<min(start + size, Self.probes.count)]
            let lines = try await Lab.with { lab in
                try await output(["probe"] + probes.map(host.argument), path, lab)
            }
            #expect(path == .killing || lines.count == probes.count, "\(lines)")
            #expect(lines.filter { $0.hasSuffix("DONE") || $0.hasSuffix("UNKNOWN") } == [])
        }
    }

    private func output(_ arguments: [String], _ path: SandboxPath, _ lab: Lab) async throws -> [String] {
        switch path {
        case .plain: try await lab.run(arguments).output
        case .pooled: try await pooled(arguments, lab)
        case .resumed: try await resumed(arguments, lab)
        case .writable: try await lab.run(arguments) { $0.filesWritable = true }.output
        case .killing: try await lab.run(arguments) { $0.onDenied = .kill }.output
        case .checked: try await lab.check(arguments, timeout: .seconds(30)).output
        }
    }

    private func pooled(_ arguments: [String], _ lab: Lab) async throws -> [String] {
        try await lab.park(1)
        let parked = lab.parkedPIDs
        let handle = try await lab.start(arguments)
        #expect(parked.contains(handle.pid))
        return try await lab.finish(handle).output
    }

    private func resumed(_ arguments: [String], _ lab: Lab) async throws -> [String] {
        let handle = try await lab.start(["probe-later"] + arguments.dropFirst())
        func lines() -> [String] {
            lab.runners.logs.lines(ofRevision: "default/hello-00001", last: 10).map(\.text)
        }
        try #require(try await eventually { lines() == ["waiting"] })
        lab.runners.pause(handle)
        lab.runners.resume(handle)
        lab.runners.runner(handle.id)?.signal(SIGTERM)
        return try await lab.finish(handle).output.filter { $0 != "waiting" }
    }

    @Test("without a filter the rest of the sandbox still holds what it is there for")
    func withoutFilter() async throws {
        let host = try HostListener()
        try await Lab.with { lab in
            let held = Self.probes.filter { !Self.heldByFilter.contains($0) }
            let (_, output) = try await lab.run(["probe"] + held.map(host.argument)) { $0.syscalls = syscallNames }
            #expect(output.count == held.count)
            #expect(output.filter { $0.hasSuffix("DONE") || $0.hasSuffix("UNKNOWN") } == [])
        }
    }

    @Test("each works for root in a throw-away machine, so that a failure inside means something", arguments: probes)
    func outside(_ probe: String) throws {
        let host = try HostListener()
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        runCommand([try #require(compiledProgram), "control", host.argument(probe)], output: "\(directory)/output")
        let line = try readText("\(directory)/output")
        if Self.harmful.contains(probe) {
            if line == "\(probe) Function not implemented\n" { return noControl(probe, line) }
            let looked = ["Exec format error", "Invalid argument", "Bad file descriptor", "No such file or directory"]
            #expect(looked.contains { line == "\(probe) \($0)\n" })
        } else if Self.machineDependent.contains(probe), line != "\(probe) DONE\n" {
            noControl(probe, line)
        } else {
            #expect(line == "\(probe) DONE\n")
        }
    }

    private func noControl(_ probe: String, _ line: String) {
        print("no control for the escape \(probe): root on this machine meets: \(line.dropLast())")
    }

    @Test("no mount of a runner honours set-user-id bits, and only /tmp, /proc and the devices can be written to")
    func mounts() async throws {
        try await Lab.with { lab in
            let script = "while read line; do echo $line; done < /proc/self/mountinfo"
            let (_, output) = try await lab.run(["shell", script])
            let mounts = output.map { $0.split(separator: " ").map(String.init) }.filter { $0.count > 5 }
            #expect(mounts.count > 5)
            #expect(mounts.filter { !$0[5].split(separator: ",").contains("nosuid") } == [])
            let writable = mounts.filter { $0[5].hasPrefix("rw") }.map { $0[4] }
            #expect(writable.filter { $0 != "/tmp" && $0 != "/proc" && !$0.hasPrefix("/dev/") } == [])
        }
    }
}

/// A listener of the host's, which a sandbox must not reach.
final class HostListener: Sendable {
    private let descriptor: Int32
    private let port: UInt16
    /// Listens under a name that belongs to no file.
    private let abstract: Int32
    private let name = "meridian-escape-\(UInt32.random(in: .min ... .max))"

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutableBytes(of: &address) { bytes in
            let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            return bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                && address.map { getsockname(descriptor, $0, &length) } == 0
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isBound)
        abstract = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var local = sockaddr_un()
        local.sun_family = sa_family_t(AF_UNIX)
        let bytes = [0] + Array(name.utf8)
        withUnsafeMutableBytes(of: &local.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let abstract = abstract
        let isListening = withUnsafeMutableBytes(of: &local) { bytes in
            bind(abstract, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, size) == 0
                && listen(abstract, 64) == 0
        }
        try #require(isListening)
    }

    deinit {
        close(descriptor)
        close(abstract)
    }

    /// `host_port`, `host_process` and `host_abstract` with what they are to reach behind; other probes as they are.
    func argument(_ probe: String) -> String {
        switch probe {
        case "host_port": "host_port:\(port)"
        case "host_process": "host_process:\(getpid())"
        case "host_abstract": "host_abstract:\(name)"
        default: probe
        }
    }
}
