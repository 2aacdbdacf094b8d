// EscapeTests: steps out of the sandbox, each tried inside and, where it is harmless, outside.
import MeridianModel
import Testing

@testable import MeridianRunners

@Suite("Escapes", .enabled(if: canSandbox), .serialized)
struct EscapeTests {
    /// Tried inside.
    ///
    /// Several would harm the machine outside (reboot, kexec, setuid, mount…), so that those that do
    /// nothing when they succeed are tried outside too, below.
    static let probes = [
        "mount", "umount", "pivot_root", "open_tree", "fsopen", "unshare_user", "unshare_net", "clone_user", "clone3",
        "setns", "ptrace", "process_vm_readv", "bpf", "perf_event_open", "io_uring", "keyctl", "add_key",
        "raw_socket", "packet_socket", "netlink_socket", "chroot", "mknod", "setuid", "sethostname", "reboot",
        "init_module", "kexec_load", "userfaultfd", "init_memory", "init_root", "core_pattern", "sysrq", "sys",
        "host_disk", "kmsg", "usr_write", "root_write", "shadow", "kill_init", "tiocsti", "nested_seccomp",
    ]

    /// What root may do outside and sees work there: the probe itself is sound.
    static let workOutside = [
        "open_tree", "fsopen", "raw_socket", "packet_socket", "netlink_socket", "keyctl", "sys", "shadow",
        "core_pattern", "process_vm_readv", "userfaultfd",
    ]

    @Test("none works in a sandbox with the default profile")
    func inside() async throws {
        try await Lab.with { lab in
            let (_, output) = try await lab.run(["probe"] + Self.probes)
            #expect(output.count == Self.probes.count)
            #expect(output.filter { $0.hasSuffix("DONE") || $0.hasSuffix("UNKNOWN") } == [])
        }
    }

    @Test("without a filter the rest of the sandbox still holds what it is there for")
    func withoutFilter() async throws {
        try await Lab.with { lab in
            let held = [
                "mount", "umount", "pivot_root", "setns", "bpf", "raw_socket", "packet_socket", "mknod", "setuid",
                "sethostname", "init_memory", "init_root", "core_pattern", "sysrq", "sys", "host_disk", "kmsg",
                "usr_write", "root_write", "shadow", "kill_init", "chroot",
            ]
            let (_, output) = try await lab.run(["probe"] + held) { $0.syscalls = syscallNames }
            #expect(output.filter { $0.hasSuffix("DONE") || $0.hasSuffix("UNKNOWN") } == [])
        }
    }

    @Test("those that are harmless outside work there", arguments: workOutside)
    func outside(_ probe: String) throws {
        let output = "\(try #require(temporaryDirectory()))/output"
        runCommand([try #require(compiledProgram), "probe", probe], output: output)
        #expect(try readText(output) == "\(probe) DONE\n")
        runCommand(["rm", "-rf", String(output.dropLast("/output".count))])
    }
}
