// EscapeTests: steps out of the sandbox, each tried inside and, to prove that it can work, in a throw-away machine.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

/// The ways in which a program comes to run, each with its own mounts or filter.
enum SandboxPath: String, CaseIterable, Sendable {
    case plain, pooled, writable, killing, checked
}

@Suite("Escapes", .enabled(if: canSandbox), .serialized)
struct EscapeTests {
    static let probes = [
        "mount", "umount", "pivot_root", "open_tree", "fsopen", "unshare_user", "unshare_net", "clone_user",
        "clone3_user", "setns", "ptrace", "process_vm_readv", "bpf", "perf_event_open", "io_uring", "keyctl",
        "add_key", "raw_socket", "packet_socket", "netlink_socket", "chroot", "mknod", "setuid", "sethostname",
        "reboot", "init_module", "kexec_load", "userfaultfd", "init_memory", "init_root", "core_pattern", "sysrq",
        "sys", "host_disk", "kmsg", "usr_write", "root_write", "shadow", "tiocsti", "add_filter",
        "descriptor", "call_32_bit", "host_port", "host_process",
    ]

    /// What even root cannot do on some machines: the kernel was built without it, or the machine is fenced itself.
    static let machineDependent: Set<String> = [
        "bpf", "perf_event_open", "io_uring", "userfaultfd", "sysrq", "host_disk", "kmsg", "call_32_bit",
    ]

    /// Loading a module or a kernel has no harmless form.
    ///
    /// Outside it is enough that the kernel looks at the (wrong) arguments, which it does for those who may only.
    static let harmful: Set<String> = ["init_module", "kexec_load"]

    /// What needs no privilege: the filter alone holds these.
    static let heldByFilter: Set<String> = [
        "unshare_user", "clone_user", "clone3_user", "perf_event_open", "io_uring", "keyctl", "add_key",
        "netlink_socket", "userfaultfd", "add_filter", "call_32_bit",
    ]

    @Test("none works inside, whichever way the program came to run", arguments: SandboxPath.allCases)
    func inside(_ path: SandboxPath) async throws {
        let host = try HostListener()
        for probe in path == .killing ? Self.probes : ["all"] {
            let arguments = ["probe"] + (probe == "all" ? Self.probes : [probe]).map(host.argument)
            let lines = try await Lab.with { lab in try await output(arguments, path, lab) }
            #expect(path == .killing || lines.count == Self.probes.count, "\(lines)")
            #expect(lines.filter { $0.hasSuffix("DONE") || $0.hasSuffix("UNKNOWN") } == [])
        }
    }

    private func output(_ arguments: [String], _ path: SandboxPath, _ lab: Lab) async throws -> [String] {
        switch path {
        case .plain: try await lab.run(arguments).output
        case .pooled: try await pooled(arguments, lab)
        case .writable: try await lab.run(arguments) { $0.filesWritable = true }.output
        case .killing: try await lab.run(arguments) { $0.onDenied = .kill }.output
        case .checked: try await lab.check(arguments).output
        }
    }

    private func pooled(_ arguments: [String], _ lab: Lab) async throws -> [String] {
        try await lab.park(1)
        let parked = lab.parkedPIDs
        let handle = try await lab.start(arguments)
        #expect(parked.contains(handle.pid))
        return try await lab.finish(handle).output
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
            #expect(line == "\(probe) Exec format error\n" || line == "\(probe) Invalid argument\n")
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
    }

    deinit { close(descriptor) }

    /// `host_port` with the port behind it, `host_process` with this process's number; other probes as they are.
    func argument(_ probe: String) -> String {
        switch probe {
        case "host_port": "host_port:\(port)"
        case "host_process": "host_process:\(getpid())"
        default: probe
        }
    }
}
