// PortCheckTests: what the port check says of programs that do and do not listen as they must.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("The port check", .enabled(if: canSandbox), .serialized)
struct PortCheckTests {
    @Test("passes a program that listens on $PORT at 0.0.0.0")
    func passes() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["serve"])
            #expect(report.passed)
            #expect(report.listening == ["0.0.0.0:20000"])
            #expect(report.deniedSyscalls == [])
        }
    }

    @Test("refuses localhost only, with the words to fix it")
    func localhost() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["serve", "127.0.0.1"])
            #expect(report.reason == "ListensOnLocalhostOnly")
            #expect(report.message.contains("Listen on 0.0.0.0"))
        }
    }

    @Test("refuses another port and names it")
    func otherPort() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["serve-port", "8080"], timeout: .milliseconds(500))
            #expect(report.reason == "ListensElsewhere")
            #expect(report.message.contains("0.0.0.0:8080"))
        }
    }

    @Test("refuses a program that never listens")
    func never() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["sleep"], timeout: .milliseconds(300))
            #expect(report.reason == "ListensNowhere")
        }
    }

    @Test("an exit code, a signal and a lack of memory are named with the last output")
    func ends() async throws {
        try await Lab.with { lab in
            let exited = try await lab.check(["exit", "3"])
            #expect(exited.reason == "ExitedEarly")
            #expect(exited.message.hasPrefix("exited with code 3"))
            #expect(exited.output == ["cannot open database"])
            let killed = try await lab.check(["signal", "11"])
            #expect(killed.reason == "KilledBySignal")
            #expect(killed.message.hasPrefix("killed by signal 11"))
            let starved = try await lab.check(["eat", "200"]) { $0.memory = .mebibytes(32) }
            #expect(starved.message.contains("out of memory: limit 32Mi"))
        }
    }

    @Test("a denied syscall that the program needs is named with the line to add")
    func deniedNeeded() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["needs-ptrace"])
            #expect(report.reason == "SyscallDenied")
            #expect(report.deniedSyscalls == ["ptrace"])
            #expect(report.message.hasPrefix("blocked syscall ptrace: add to the SyscallAllowlist `allow: [ptrace]`"))
        }
    }

    @Test("a denied syscall that it does not need is listed and passes, unless it would have killed")
    func deniedTried() async throws {
        try await Lab.with { lab in
            let report = try await lab.check(["tries-ptrace"])
            #expect(report.passed)
            #expect(report.deniedSyscalls == ["ptrace"])
            let killing = try await lab.check(["tries-ptrace"]) { $0.onDenied = .kill }
            #expect(killing.reason == "SyscallDenied")
        }
    }

    @Test("a file that is no program for this machine cannot be executed, and says why")
    func notExecutable() async throws {
        try await Lab.with { lab in
            runCommand(["sh", "-c", "echo nonsense > \(lab.bundle)/text; chmod +x \(lab.bundle)/text"])
            let report = try await lab.check([]) { $0.executable = "text" }
            #expect(report.reason == "CannotExecute")
            #expect(report.message.contains("x86_64"))
            // The machine field of the ELF header, byte 18, becomes AArch64.
            let patch = "printf '\\267' | dd of=\(lab.bundle)/arm bs=1 seek=18 conv=notrunc status=none"
            runCommand(["sh", "-c", "cp \(lab.bundle)/server \(lab.bundle)/arm; \(patch)"])
            #expect(try await lab.check([]) { $0.executable = "arm" }.reason == "CannotExecute")
            runCommand(["sh", "-c", "cp \(lab.bundle)/server \(lab.bundle)/plain; chmod -x \(lab.bundle)/plain"])
            #expect(try await lab.check([]) { $0.executable = "plain" }.message.contains("chmod +x"))
        }
    }

    @Test("the health path decides where there is one")
    func health() async throws {
        try await Lab.with { lab in
            #expect(try await lab.check(["serve"]) { $0.healthPath = "/health" }.passed)
            let report = try await lab.check(["unhealthy"], timeout: .milliseconds(400)) { $0.healthPath = "/health" }
            #expect(report.reason == "HealthPathFailed")
            #expect(report.message.contains("answered 503"))
        }
    }
}

@Suite("Reading the kernel's socket tables")
struct ListeningSocketTests {
    @Test("listening sockets are read with their addresses; others are passed over")
    func table() {
        let table = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
               0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
               1: 00000000:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
               2: 00000000:4E21 0100007F:0001 01 00000000:00000000 00:00000000 00000000     0
               3: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 0
               4: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 0
               5: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A 0
            """
        #expect(
            ListeningSocket.parse(table).map(\.description) == [
                "127.0.0.1:8080", "0.0.0.0:20000", "[::1]:80", "[::]:81", "127.0.0.1:82",
            ]
        )
    }

    @Test("a rubbish line gives nothing", arguments: ["", "x", "h\n0: 1:2 3 0A", "h\n0: 0100007F:XYZZ 0:0 0A 0"])
    func rubbish(_ table: String) {
        #expect(ListeningSocket.parse(table).isEmpty)
    }
}
