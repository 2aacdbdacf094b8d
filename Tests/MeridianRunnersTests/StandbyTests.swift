// StandbyTests: paused runners stand still with all their processes, go on, and can be ended.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("A paused runner", .enabled(if: canSandbox), .serialized)
struct PausedRunnerTests {
    /// The letters of the states of a runner's processes but its init's (proc_pid_stat(5)).
    private func states(_ handle: RunnerHandle) -> [String] {
        var waiting = [handle.pid]
        var states: [String] = []
        while let pid = waiting.popLast() {
            let text = (try? readText("/proc/\(pid)/task/\(pid)/children")) ?? ""
            for child in text.split(separator: " ").compactMap({ Int32($0) }) {
                let status = (try? readText("/proc/\(child)/stat")) ?? ""
                states += status.split(separator: ")").last?.split(separator: " ").prefix(1).map(String.init) ?? []
                waiting.append(child)
            }
        }
        return states
    }

    @Test("stands still, takes connections all the same, and answers them when it goes on")
    func answers() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            for _ in 0..<3 {
                lab.runners.pause(handle)
                #expect(try await eventually { states(handle) == ["T"] })
                async let answer = lab.request(handle)
                lab.runners.resume(handle)
                #expect(try await answer.hasSuffix("hello"))
            }
            await lab.runners.stop(handle, grace: .zero)
        }
    }

    @Test("all its processes stand still, and go on")
    func descendants() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["shell", "(while :; do :; done) & (while :; do :; done) & wait"])
            #expect(try await eventually { states(handle).count == 3 })
            lab.runners.pause(handle)
            #expect(try await eventually { states(handle) == ["T", "T", "T"] })
            lab.runners.resume(handle)
            #expect(try await eventually { !states(handle).contains("T") })
            await lab.runners.stop(handle, grace: .zero)
        }
    }

    @Test("can be stopped, gracefully and not, and its launcher's death ends it")
    func stopped() async throws {
        try await Lab.with { lab in
            for (number, grace) in [Duration.seconds(5), .zero].enumerated() {
                let handle = try await lab.start(["polite"], id: "r\(number)")
                try await lab.runners.waitReady(handle)
                lab.runners.pause(handle)
                #expect(try await eventually { states(handle) == ["T"] })
                await lab.runners.stop(handle, grace: grace)
                #expect(kill(handle.pid, 0) == -1)
            }
            #expect(lab.runners.logs.lines(ofRevision: "default/hello-00001", last: 9).map(\.text).contains("bye"))
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            lab.runners.pause(handle)
            kill(try await lab.runners.readyZygote().pid, SIGKILL)
            #expect(try await eventually { kill(handle.pid, 0) == -1 })
        }
    }

    @Test("can give its memory back and still goes on")
    func reclaimed() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            lab.runners.pause(handle)
            try #require(lab.runners.runner(handle.id)).shell.cgroup?.reclaim()
            lab.runners.resume(handle)
            #expect(try await lab.request(handle).hasSuffix("hello"))
            await lab.runners.stop(handle, grace: .zero)
        }
    }
}
