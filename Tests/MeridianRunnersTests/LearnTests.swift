// LearnTests: programs that are watched: what they called is known, and is enough for them.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("Learning the syscalls of a program", .enabled(if: canSandbox), .serialized)
struct LearnTests {
    private func learn(
        _ lab: Lab,
        _ arguments: [String],
        _ paths: [String] = ["/"],
        _ change: (inout RunnerTemplate) -> Void = { _ in }
    ) async throws -> SyscallLesson {
        var settings = LearnSettings()
        settings.duration = .seconds(1)
        settings.paths = paths
        let template = lab.template(arguments, change)
        return try await lab.runners.learn(
            "lesson",
            revision: "default/hello-00001",
            template,
            bundle: lab.bundle,
            settings
        )
    }

    @Test("what a server calls is found, and with nothing else allowed it serves and is denied nothing")
    func smallest() async throws {
        try await Lab.with { lab in
            let lesson = try await learn(lab, ["serve"]) { $0.syscalls = [] }
            #expect(lesson.check == "passed")
            #expect(lesson.requests.map(\.answer) == ["answered"])
            #expect((lesson.requests.first?.count ?? 0) >= 1)
            #expect(lesson.refused == [])
            #expect(Set(["accept", "bind", "listen", "read", "socket", "write"]).isSubset(of: lesson.syscalls))
            #expect(!lesson.syscalls.contains("fork"))
            #expect(lab.runners.deniedSyscalls == [:])
            let handle = try await lab.start(["serve"]) { $0.syscalls = lesson.syscalls }
            try await lab.runners.waitReady(handle)
            let answer = try await lab.request(handle)
            #expect(answer.hasSuffix("hello"))
            await lab.runners.stop(handle, grace: .zero)
            #expect(lab.runners.deniedSyscalls == [:])
            let less = lesson.syscalls.filter { $0 != "listen" }
            let report = try await lab.check(["serve"]) { $0.syscalls = less }
            #expect(report.deniedSyscalls.contains("listen"))
        }
    }

    @Test("calls of high risk fail as ever, and are said; so is a program that ends early")
    func refused() async throws {
        try await Lab.with { lab in
            let trying = try await learn(lab, ["tries-ptrace"])
            #expect(trying.check == "passed")
            #expect(trying.refused == ["ptrace"])
            let needing = try await learn(lab, ["needs-ptrace"])
            #expect(needing.refused == ["ptrace"])
            #expect(needing.check == "failed: exited with code 5")
            let killing = try await learn(lab, ["tries-ptrace"]) { $0.onDenied = .kill }
            #expect(killing.check == "passed")
        }
    }

    @Test("a path that is refused is said with its status")
    func unhealthy() async throws {
        try await Lab.with { lab in
            let lesson = try await learn(lab, ["unhealthy"], ["/x"])
            #expect(lesson.requests.map(\.answer) == ["GET /x answered 503"])
        }
    }

    @Test("no way out of the sandbox works for a program that is watched")
    func escapes() async throws {
        let host = try HostListener()
        try await Lab.with { lab in
            let probes = EscapeTests.probes
            for start in stride(from: 0, to: probes.count, by: 20) {
                let some = probes[start..<min(start + 20, probes.count)]
                _ = try await learn(lab, ["probe"] + some.map(host.argument))
            }
            let lines = lab.runners.logs.lines(ofRevision: "default/hello-00001", last: 10_000)
            let done = lines.filter { $0.stream == .output && $0.text.hasSuffix(" DONE") }.map(\.text)
            // Alone these three lead nowhere, and programs ask for them in good faith: a filter only takes rights away.
            #expect(Set(done) == ["add_filter DONE", "name_to_handle DONE", "personality DONE"])
            #expect(lines.count >= probes.count)
        }
    }
}
