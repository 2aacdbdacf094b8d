// RunnerEndTests: denied syscalls and early ends are told with their reason, their name and the last output.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("A runner's untimely end", .enabled(if: canSandbox), .serialized)
struct RunnerEndTests {
    @Test("a denied syscall fails with EPERM, or ENOSYS where libraries have something else to try")
    func denied() async throws {
        try await Lab.with { lab in
            let (_, output) = try await lab.run(["probe", "keyctl", "clone3_user", "io_uring"])
            #expect(
                output == [
                    "keyctl Operation not permitted", "clone3_user Function not implemented",
                    "io_uring Function not implemented",
                ]
            )
        }
    }

    @Test("a denied syscall kills where the allowlist says so, and the end names it with the line to add")
    func killedForSyscall() async throws {
        try await Lab.with { lab in
            let (exit, output) = try await lab.run(["probe", "keyctl", "clone3_user"]) { $0.onDenied = .kill }
            #expect(exit.cause == .deniedSyscall("keyctl"))
            #expect(
                exit.message == "killed: blocked syscall keyctl: add to the SyscallAllowlist `allow: [keyctl]`, "
                    + "or set `onDenied: errno`"
            )
            #expect(output == [])
        }
        try await Lab.with { lab in
            let (exit, _) = try await lab.run(["probe", "netlink_socket"]) { $0.onDenied = .kill }
            #expect(exit.message.hasPrefix("killed: blocked syscall socket with arguments that no allowlist permits"))
        }
    }

    @Test("a program that makes no denied syscall serves under a filter that kills")
    func servesUnderKill() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"]) { $0.onDenied = .kill }
            try await lab.runners.waitReady(handle)
            #expect(try await lab.request(handle).hasSuffix("hello"))
        }
    }

    struct EarlyEnd: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let reason: String
        let parts: [String]
        var testDescription: String { arguments.joined(separator: " ") }
    }

    static let earlyEnds = [
        EarlyEnd(
            arguments: ["exit", "3"],
            reason: "ExitedEarly",
            parts: ["exited with code 3", "cannot open database"]
        ),
        EarlyEnd(arguments: ["signal", "11"], reason: "KilledBySignal", parts: ["killed by signal 11"]),
        EarlyEnd(arguments: ["eat", "200"], reason: "KilledBySignal", parts: ["out of memory: limit 32Mi"]),
        EarlyEnd(arguments: ["needs-ptrace"], reason: "SyscallDenied", parts: ["blocked syscall ptrace"]),
    ]

    @Test("an early end ends the wait for readiness with its reason and the last output", arguments: earlyEnds)
    func earlyEnd(_ end: EarlyEnd) async throws {
        try await Lab.with { lab in
            let change: (inout RunnerTemplate) -> Void = { template in
                template.memory = .mebibytes(32)
                template.onDenied = .kill
            }
            let handle = try await lab.start(end.arguments, change)
            let error = await #expect(throws: RunnerError.self) { try await lab.runners.waitReady(handle) }
            // Asked again when the end is known to be over.
            for await exit in lab.runners.exits where exit.id == handle.id { break }
            let late = await #expect(throws: RunnerError.self) { try await lab.runners.waitReady(handle) }
            for told in [error, late] {
                #expect(told?.reason == end.reason)
                for part in end.parts { #expect(told?.message.contains(part) == true, "\(told?.message ?? "")") }
            }
        }
    }
}
