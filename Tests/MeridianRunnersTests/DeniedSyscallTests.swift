// DeniedSyscallTests: what a program, and whoever runs it, hears of syscalls that its allowlist denies.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("A denied syscall", .enabled(if: canSandbox), .serialized)
struct DeniedSyscallTests {
    private static let revision = "default/hello-00001"

    /// What the runners of `lab` were denied.
    private func denied(_ lab: Lab) -> [String] { lab.runners.deniedSyscalls[Self.revision, default: []] }

    /// What Meridian said in the runner's log.
    private func remarks(_ lab: Lab) -> [String] {
        lab.runners.logs.lines(ofRevision: Self.revision, last: 10_000).filter { $0.stream == .meridian }.map(\.text)
    }

    @Test("fails with EPERM and is told by name, with the line to add, in a fresh sandbox")
    func fresh() async throws {
        try await Lab.with { lab in
            let output = try await lab.run(["deny", "1"]).output
            #expect(output == ["failed 1 of 1"])
            #expect(denied(lab) == ["ptrace"])
            #expect(remarks(lab).first == "blocked syscall ptrace: add to the SyscallAllowlist `allow: [ptrace]`")
        }
    }

    @Test("is told from a pooled sandbox")
    func pooled() async throws {
        try await Lab.with { lab in
            try await lab.park(1)
            let parked = lab.parkedPIDs
            let handle = try await lab.start(["deny", "1"])
            #expect(parked.contains(handle.pid))
            let output = try await lab.finish(handle).output
            #expect(output == ["failed 1 of 1"])
            #expect(denied(lab) == ["ptrace"])
        }
    }

    @Test("is told from a runner that was paused and goes on")
    func resumed() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["deny-later"])
            func lines() -> [String] { lab.runners.logs.lines(ofRevision: Self.revision, last: 10).map(\.text) }
            try #require(try await eventually { lines() == ["waiting"] })
            lab.runners.pause(handle)
            lab.runners.resume(handle)
            lab.runners.runner(handle.id)?.signal(SIGTERM)
            let output = try await lab.finish(handle).output
            #expect(output == ["waiting", "denied"])
            #expect(denied(lab) == ["ptrace"])
        }
    }

    @Test("is told with a writable layer over the bundle, and of a child process")
    func elsewhere() async throws {
        try await Lab.with { lab in
            let output = try await lab.run(["deny-as-child"]) { $0.filesWritable = true }.output
            #expect(output == ["child met Operation not permitted"])
            #expect(denied(lab) == ["ptrace"])
        }
    }

    @Test("fails each time and is told once, however often it is made")
    func flood() async throws {
        try await Lab.with { lab in
            let output = try await lab.run(["deny", "20000"]).output
            #expect(output == ["failed 20000 of 20000"])
            #expect(remarks(lab).filter { $0.hasPrefix("blocked syscall") }.count == 1)
        }
    }

    @Test("is ENOSYS where C libraries have a fallback, and that is told too")
    func fallback() async throws {
        try await Lab.with { lab in
            let number = try #require(syscallNumber("memfd_create"))
            let output = try await lab.run(["number", "\(number)"]) { $0.syscalls.removeAll { $0 == "memfd_create" } }
                .output
            #expect(output == ["\(number): Function not implemented"])
            #expect(denied(lab) == ["memfd_create"])
        }
    }

    @Test("of a number that has no name is refused and told as a number")
    func unnamed() async throws {
        try await Lab.with { lab in
            let output = try await lab.run(["number", "1000"]).output
            #expect(output == ["1000: Operation not permitted"])
            #expect(denied(lab) == ["number 1000"])
        }
    }

    @Test("kills where the allowlist says so, and is told too")
    func killing() async throws {
        try await Lab.with { lab in
            let (exit, output) = try await lab.run(["deny", "1"]) { $0.onDenied = .kill }
            #expect(exit.cause == .deniedSyscall("ptrace"))
            #expect(output == [])
            #expect(denied(lab) == ["ptrace"])
        }
    }

    @Test("of a port check is the check's to tell")
    func checked() async throws {
        try await Lab.with { lab in
            let told = try await lab.check(["tries-ptrace"]).deniedSyscalls
            #expect(told == ["ptrace"])
            #expect(denied(lab) == [])
        }
    }

    @Test("hangs nobody when init or the launcher is killed amid a flood of them")
    func supervisorKilled() async throws {
        try await Lab.with { lab in
            for killsLauncher in [false, true] {
                lab.runners.forgetDenied(except: [])
                let handle = try await lab.start(["deny-forever"], id: killsLauncher ? "second" : "first")
                #expect(try await eventually { denied(lab) == ["ptrace"] })
                let pid = killsLauncher ? try await lab.runners.readyZygote().pid : handle.pid
                kill(pid, SIGKILL)
                let cause = try await lab.finish(handle).exit.cause
                #expect(cause == .signal(SIGKILL))
            }
        }
    }

    @Test("is forgotten with its revision")
    func forgotten() async throws {
        try await Lab.with { lab in
            _ = try await lab.run(["deny", "1"])
            lab.runners.forgetDenied(except: [Self.revision])
            #expect(denied(lab) == ["ptrace"])
            lab.runners.forgetDenied(except: ["default/other-00001"])
            #expect(denied(lab) == [])
        }
    }

    @Test("is denied and not told where another listener has the only place, and the node says so")
    func untold() async throws {
        try await Lab.with { lab in
            let launcher = try #require(try lab.launcherUnderListener())
            let runners = try SandboxedRunners(program: launcher, dataDirectory: "\(lab.directory)/other")
            try await runners.warmUp()
            #expect(runners.protections["seccomp"]?.contains("denied syscalls are NOT told") == true)
            _ = try await runners.start("a", revision: Self.revision, lab.template(["deny", "3"]), bundle: lab.bundle)
            for await exit in runners.exits where exit.id == "a" { break }
            let lines = runners.logs.lines(ofRevision: Self.revision, last: 10).map(\.text)
            #expect(lines.contains("failed 3 of 3"))
            #expect(runners.deniedSyscalls == [:])
            let killing = lab.template(["deny", "1"]) { $0.onDenied = .kill }
            _ = try await runners.start("b", revision: Self.revision, killing, bundle: lab.bundle)
            for await exit in runners.exits where exit.id == "b" {
                #expect(exit.cause == .signal(SIGSYS))
                break
            }
            await runners.shutdown(grace: .zero)
        }
    }
}

extension Lab {
    /// A program that becomes the launcher under a filter with a listener, as in a container that has one; nil without cc.
    fileprivate func launcherUnderListener() throws -> String? {
        let source = "\(directory)/under.c"
        let program = "\(directory)/under"
        guard let file = fopen(source, "w"), let launcher = ZygoteProgram.locate() else { return nil }
        fputs(Self.underListenerSource, file)
        fclose(file)
        return runCommand(["cc", "-O1", "-w", "-o", program, "-DLAUNCHER=\"\(launcher)\"", source]) == 0 ? program : nil
    }

    /// A process of its own holds the listener until nobody is left under the filter; then it ends by itself.
    private static let underListenerSource = #"""
        #define _GNU_SOURCE
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <poll.h>
        #include <sched.h>
        #include <signal.h>
        #include <sys/mman.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>

        int main(int argc, char **argv) {
            volatile int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            shared[0] = -1;
            // A grandchild, so that it is no child of the launcher; it shares the descriptors until it has the listener.
            long child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
            if (child == 0) {
                if (syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0) != 0) _exit(0);
                while (shared[0] < 0) usleep(200);
                int listener = shared[0];
                unshare(CLONE_FILES);
                shared[1] = 1;
                for (int other = 0; other < 1024; other++) if (other != listener) close(other);
                struct pollfd watched = {.fd = listener, .events = POLLIN};
                while (poll(&watched, 1, -1) < 0 || (watched.revents & POLLHUP) == 0) {}
                _exit(0);
            }
            int status;
            waitpid(child, &status, 0);
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
            struct sock_fprog program = {.len = 1, .filter = code};
            shared[0] = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
            while (!shared[1]) usleep(200);
            execv(LAUNCHER, argv);
            return 1;
        }
        """#
}
