// SyscallsVerbTests: `syscalls explain` and `syscalls learn`.
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian syscalls")
struct SyscallsVerbTests {
    @Test("explain says purpose, risk, groups and number, without a server")
    func explain() async {
        let run = await CommandRun(["syscalls", "explain", "ptrace", "openat"])
        #expect(run.code == 0)
        #expect(
            run.output == """
                ptrace, number 101
                  purpose:     Watches and steers another process, and its syscalls.
                  risk:        high: steers the machine or other processes, or is a known way out of sandboxes
                  groups:      none; single calls are added by `allow: [ptrace]`
                  web-default: denied

                openat, number 257
                  purpose:     Opens a file relative to a directory; what libraries use today.
                  risk:        low: acts on the program itself and on what it was given
                  groups:      files (opening, listing, changing and describing files)
                  web-default: allowed

                """
        )
    }

    @Test("explain suggests the name that was meant")
    func misspelt() async {
        let run = await CommandRun(["syscalls", "explain", "ptrase"])
        #expect(run.code == 1)
        #expect(run.errors == "error: ptrase: no syscall of Linux on x86_64 has this name. Did you mean ptrace?\n")
    }

    private func platform() -> FakePlatform {
        let platform = FakePlatform()
        platform.update { state in
            state.lesson.revision = "default/hello-00002"
            state.lesson.syscalls = ["futex", "io_uring_setup", "mmap", "msgget", "munmap", "read"]
            state.lesson.refused = ["io_uring_setup"]
            state.lesson.check = "passed"
            var request = LessonRequest("/x")
            request.count = 3
            request.answer = "GET /x answered 404"
            state.lesson.requests = [request]
            state.lesson.elapsed = .milliseconds(61_400)
        }
        return platform
    }

    @Test("learn prints the smallest allowlist with a comment per group, which applies as it is")
    func learn() async throws {
        let platform = platform()
        let run = await CommandRun(
            ["syscalls", "learn", "hello", "--for", "61s", "--url", "/x", "--url", "/y", "-o", "yaml"],
            on: platform
        )
        #expect(run.code == 0, "\(run.errors)")
        #expect(platform.log == ["learn App/default/hello for 1m1s: /x /y"])
        #expect(
            run.output == """
                # What default/hello-00002 called in 61s. Its port check: passed.
                # GET /x was sent 3 times; the last: GET /x answered 404.
                # Starting and ending (execve, exit, exit_group, rt_sigreturn) is always allowed.
                apiVersion: meridian.dev/v1
                kind: SyscallAllowlist
                metadata: {name: hello}
                spec:
                  allow:
                    # process: threads, children, identity, scheduling, locks; 1 of 48
                    - futex
                    # memory: mapping, protecting and locking its own memory; 2 of 15
                    - mmap
                    - munmap
                    # io: reading, writing and waiting on open descriptors; 1 of 44
                    - read
                    # in no group
                    - msgget # risk medium: Makes or finds a message queue of System V; such queues help to shape kernel memory.
                    # tried and refused; think twice before one of them is allowed
                    # - io_uring_setup # risk high: Makes a ring of asynchronous operations: they pass by every filter, and gave many ways into the kernel.

                """
        )
        let folder = try TestFolder(["learned.yaml": run.output])
        let valid = await CommandRun(["validate", "-f", "\(folder.path)/learned.yaml"])
        #expect(valid.code == 0, "\(valid.output)\(valid.errors)")
        let applied = await CommandRun(["apply", "-f", "\(folder.path)/learned.yaml"], on: platform)
        #expect(applied.code == 0, "\(applied.errors)")
    }

    @Test("learn -o json prints what was seen")
    func json() async throws {
        let run = await CommandRun(["syscalls", "learn", "app/hello", "-o", "json"], on: platform())
        #expect(try JSONValue(parsing: Array(run.output.utf8))["refused"] == ["io_uring_setup"])
    }

    @Test(
        "what cannot be asked is refused with the option named",
        arguments: [
            (["--for", "2h"], "--for"), (["--url", "x"], "--url"),
        ]
    )
    func refused(arguments: [String], option: String) async {
        let run = await CommandRun(["syscalls", "learn", "hello"] + arguments, on: platform())
        #expect(run.code == 64)
        #expect(run.errors.contains("\(option): "), "\(run.errors)")
    }

    @Test("a program that called nothing beyond starting gives an empty list")
    func nothing() async {
        let run = await CommandRun(["syscalls", "learn", "hello"], on: FakePlatform())
        #expect(run.output.contains("  allow: []\n"))
    }
}
