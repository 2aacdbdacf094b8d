// SyscallFactsTests: every syscall that an allowlist may name is explained, once.
import MeridianModel
import Testing

@Suite("What syscalls are for")
struct SyscallFactsTests {
    @Test("every name that an allowlist may hold is explained, and no other")
    func complete() {
        #expect(Set(SyscallFacts.all.keys) == Set(syscallNames))
        #expect(SyscallFacts.all.values.filter { !$0.purpose.hasSuffix(".") || $0.purpose.utf8.count < 12 }.isEmpty)
        #expect(Set(SyscallFacts.all.values.map(\.number)).count == syscallNames.count)
    }

    @Test("the groups, which everybody has, hold nothing that reaches beyond the program")
    func groups() {
        let risky = SyscallGroup.allCases.flatMap(\.syscalls).filter { SyscallFacts.all[$0]?.risk != .low }
        #expect(risky == [])
    }

    @Test("what leaves sandboxes or steers the machine is of high risk")
    func high() {
        let calls = [
            "ptrace", "bpf", "mount", "unshare", "setns", "pivot_root", "open_by_handle_at", "init_module",
            "kexec_load",
            "keyctl", "io_uring_setup", "perf_event_open", "process_vm_writev", "reboot", "userfaultfd", "move_mount",
        ]
        #expect(calls.filter { SyscallFacts.all[$0]?.risk != .high } == [])
        #expect(SyscallFacts.all["ptrace"]?.groups == [])
        #expect(SyscallFacts.all["openat"]?.groups == [.files])
    }

    @Test(
        "settings that cannot be followed are refused with words",
        arguments: [
            (["duration": "0s"], "out of range"), (["paths": ["no-slash"]], "begin with /"),
            (["paths": ["/a b"]], "%XX"), (["paths": ["/a\r\nHost: x"]], "%XX"),
        ] as [(JSONValue, String)]
    )
    func settings(json: JSONValue, words: String) {
        var context = DecodingContext()
        #expect(LearnSettings.decode(json, at: FieldPath(), &context) == nil)
        #expect(context.problems.contains { $0.message.contains(words) })
    }
}
