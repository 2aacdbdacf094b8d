// BoxTests: `meridian-zygote box`, the sandbox of build steps.
import Glibc
import Testing

@testable import MeridianRunners

@Suite("A build box", .enabled(if: canSandbox), .serialized)
struct BoxTests {
    /// Runs a shell script in a box; its status and output.
    func box(_ options: [String], _ script: String) throws -> (status: Int32, output: String) {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let program = try #require(ZygoteProgram.locate())
        let standard = ["--setenv", "PATH=/usr/bin:/bin", "--chdir", "/"]
        let status = runCommand(
            [program, "box"] + standard + options + ["--", "/bin/sh", "-c", script],
            output: "\(directory)/output"
        )
        return (status, try readText("\(directory)/output"))
    }

    @Test("it has no network by default, and the host's where asked")
    func network() throws {
        let count = "grep -c : /proc/net/dev"
        #expect(try box([], count).output == "1\n")
        #expect(try box(["--network"], count).output == "\(runCount())\n")
    }

    private func runCount() throws -> Int {
        try readText("/proc/self/net/dev").split(separator: "\n").filter { $0.contains(":") }.count
    }

    @Test("a masked directory is empty, what is shown inside it is there, and the host is read-only")
    func files() throws {
        let host = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", host]) }
        runCommand([
            "sh", "-c",
            "chmod 755 \(host) && mkdir -p \(host)/a/in \(host)/a/out && echo s > \(host)/a/secret && chmod 777 \(host)/a/out",
        ])
        let script = "ls \(host)/a; echo x > \(host)/a/out/made; echo x > \(host)/a/in/made; echo x > \(host)/made"
        let (_, output) = try box(["--mask", "\(host)/a", "--ro", "\(host)/a/in", "--rw", "\(host)/a/out"], script)
        #expect(output.hasPrefix("in\nout\n"))
        #expect(output.components(of: "Read-only file system") == 2)
        #expect(fileExists("\(host)/a/out/made"))
        #expect(!fileExists("\(host)/a/in/made"))
    }

    @Test("a fresh /tmp has its size, /dev the usual nodes, /proc only the box's processes")
    func places() throws {
        let (_, output) = try box(
            ["--tmp", "1048576"],
            "ls /tmp | wc -l; head -c 3000000 /dev/zero > /tmp/x; ls /dev | wc -l; test -d /proc/1; ls /proc | grep -c '^[0-9]'"
        )
        #expect(output.contains("No space left"))
        #expect(output.hasPrefix("0\n"))
    }

    @Test("exit statuses are the command's; signals, usage and what cannot be executed have their own")
    func statuses() throws {
        #expect(try box([], "exit 7").status == 7)
        #expect(try box([], "kill -9 $$").status == 137)
        #expect(try box(["--uid", "x"], "true").status == 64)
        #expect(try box(["--rw", "/nosuch"], "true").status == 125)
        #expect(try box(["--rw", "/nosuch"], "true").output.contains("cannot bind a directory: /nosuch"))
        #expect(runCommand([try #require(ZygoteProgram.locate()), "box", "--", "/nosuch"], output: "/dev/null") == 127)
    }

    @Test("it has no privileges, the ids asked for, and an empty environment")
    func privileges() throws {
        let script = "id -u; id -g; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status; mount -t tmpfs none /tmp; env"
        let (_, output) = try box(["--uid", "1234", "--gid", "1235", "--setenv", "A=b"], script)
        #expect(
            output.hasPrefix("1234\n1235\nCapBnd:\t0000000000000000\n") || output.contains("CapEff:\t0000000000000000")
        )
        #expect(output.contains("NoNewPrivs:\t1"))
        #expect(output.contains("A=b"))
        #expect(!output.contains("HOME="))
        #expect(
            try box(["--uid", "0", "--gid", "0"], "echo x > /proc/sys/kernel/core_pattern").output.contains("Read-only")
        )
    }

    @Test("it does not see the host's /run, and with a network only the resolver's file there")
    func run() throws {
        #expect(try box([], "ls -A /run | wc -l; ls -A /var/run/ | wc -l").output == "0\n0\n")
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let program = try #require(ZygoteProgram.locate())
        let look = "cat /etc/resolv.conf; ls -A /run /run/resolve; echo x > /run/resolve/y"
        // A host as systemd-resolved makes it, in a mount namespace of its own.
        let host =
            "mount -t tmpfs none /etc && mount -t tmpfs none /run && mkdir /run/resolve"
            + " && ln -s ../run/resolve/resolv.conf /etc/resolv.conf && echo token > /run/secret"
            + " && echo token > /run/resolve/socket && echo nameserver 192.0.2.1 > /run/resolve/resolv.conf"
            + " && exec \(program) box --network --setenv PATH=/usr/bin:/bin -- /bin/sh -c '\(look)'"
        runCommand(["unshare", "-m", "sh", "-c", host], output: "\(directory)/output")
        let output = try readText("\(directory)/output")
        #expect(output.hasPrefix("nameserver 192.0.2.1\n/run:\nresolve\n\n/run/resolve:\nresolv.conf\n"), "\(output)")
        #expect(output.contains("Read-only file system"))
    }

    @Test("it inherits no descriptor beyond the three standard ones")
    func descriptors() throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let program = try #require(ZygoteProgram.locate())
        let probe = "\(try #require(compiledProgram)) probe descriptor"
        runCommand(["sh", "-c", "exec 7</etc/passwd; \(probe)"], output: "\(directory)/output")
        #expect(try readText("\(directory)/output") == "descriptor DONE\n")
        runCommand(["sh", "-c", "exec 7</etc/passwd; exec \(program) box -- \(probe)"], output: "\(directory)/output")
        #expect(try readText("\(directory)/output") == "descriptor Bad file descriptor\n")
    }

    @Test("what reaches deep into the kernel is refused", arguments: boxRefusals)
    func refusals(_ probe: String) throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        let program = try #require(ZygoteProgram.locate())
        let probes = try #require(compiledProgram)
        runCommand([program, "box", "--", probes, "probe", probe], output: "\(directory)/output")
        let output = try readText("\(directory)/output")
        #expect(output.hasPrefix("\(probe) ") && !output.hasSuffix("DONE\n"), "\(output)")
    }

    /// All of them work outside, see `EscapeTests.outside`.
    static let boxRefusals = [
        "unshare_user", "clone_user", "clone3_user", "setns", "keyctl", "add_key", "bpf", "perf_event_open", "io_uring",
        "userfaultfd", "tiocsti", "mount", "umount", "mknod", "chroot", "ptrace", "init_memory", "core_pattern", "kmsg",
        "shadow", "raw_socket", "packet_socket", "call_32_bit", "reboot", "setuid", "sethostname",
    ]

    @Test("it dies with the process that started it, and so does what it started")
    func parentKilled() async throws {
        let directory = try #require(temporaryDirectory())
        defer { runCommand(["rm", "-rf", directory]) }
        runCommand(["chmod", "777", directory])
        let program = try #require(ZygoteProgram.locate())
        let inner =
            "\(program) box --rw \(directory) -- /bin/sh -c 'echo up > \(directory)/up; sleep 1000; echo' & wait"
        let parent = try #require(spawnCommand(["sh", "-c", inner]))
        #expect(try await eventually { fileExists("\(directory)/up") })
        let box = try #require(
            Int32(try readText("/proc/\(parent)/task/\(parent)/children").split(separator: " ").first ?? "")
        )
        kill(parent, SIGKILL)
        var status: Int32 = 0
        waitpid(parent, &status, 0)
        #expect(try await eventually { !Self.isAlive(box) })
    }

    private static func isAlive(_ pid: Int32) -> Bool {
        guard let status = try? readText("/proc/\(pid)/stat") else { return false }
        return !status.contains(") Z")
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
