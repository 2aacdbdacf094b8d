// RunnerLifeTests: a runner starts, answers, obeys its limits, is stopped, and leaves nothing.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("A runner's life", .enabled(if: canSandbox), .serialized)
struct RunnerLifeTests {
    @Test("a started runner answers over a socket in its own network")
    func answers() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            #expect(try await lab.request(handle).hasSuffix("hello"))
            await lab.runners.stop(handle, grace: .seconds(1))
        }
    }

    @Test("it has Globe's variables, the app's own, and no others")
    func environment() async throws {
        try await Lab.with { lab in
            let (exit, output) = try await lab.run(["env"]) { $0.environment = ["GREETING": "hello", "PORT": "1"] }
            #expect(exit.cause == .code(0))
            #expect(
                output == [
                    "GLOBE=1", "GREETING=hello", "HOME=/home/app", "HOSTNAME=hello-00001-a", "LANG=C.UTF-8",
                    "PATH=/app:/usr/local/bin:/usr/bin:/bin", "PORT=20000", "TMPDIR=/tmp",
                ]
            )
        }
    }

    @Test("/app is read-only and the working directory; $HOME and /tmp are writable")
    func files() async throws {
        try await Lab.with { lab in
            let script = "cat asset.txt; pwd; echo x > /app/y; echo x > $HOME/a && echo x > /tmp/b && echo wrote; id -u"
            let (_, output) = try await lab.run(["shell", script])
            #expect(output.contains("asset"))
            #expect(output.contains("/app"))
            #expect(output.contains { $0.contains("Read-only file system") })
            #expect(output.contains("wrote"))
            #expect(output.contains("\(lab.runners.firstUser)"))
        }
    }

    @Test("with files.writable the app may change and add files, and the bundle stays as it was")
    func writable() async throws {
        try await Lab.with { lab in
            let script = "echo new > asset.txt && echo more > sub && rm server && cat asset.txt sub; ls -A /.scratch"
            let (_, output) = try await lab.run(["shell", script]) { $0.filesWritable = true }
            #expect(output.prefix(2) == ["new", "more"])
            #expect(output.contains { $0.contains("Permission denied") })
            #expect(try readText("\(lab.bundle)/asset.txt") == "asset\n")
            #expect(try listDirectory(lab.bundle) == ["asset.txt", "server"])
        }
    }

    @Test("/tmp ends at its size")
    func temporarySize() async throws {
        try await Lab.with { lab in
            let (_, output) = try await lab.run(["fill", "/tmp/big"]) { $0.temporary = .mebibytes(4) }
            #expect(output.first?.hasSuffix("then No space left on device") == true)
            #expect(output.first?.hasPrefix("wrote 40") == true)
        }
    }

    @Test("memory beyond the limit kills it, and the message says so")
    func memory() async throws {
        try await Lab.with { lab in
            let (exit, _) = try await lab.run(["eat", "200"]) { $0.memory = .mebibytes(32) }
            #expect(exit.cause == .outOfMemory)
            #expect(exit.message == "killed by signal 9 (out of memory: limit 32Mi)")
        }
    }

    @Test("more processes than allowed cannot be made")
    func processes() async throws {
        try await Lab.with { lab in
            let (_, output) = try await lab.run(["fork", "100"]) { $0.pids = 10 }
            #expect(output == ["forked 9, then Resource temporarily unavailable"])
        }
    }

    @Test("an id that is in use is refused, and the runner that has it goes on")
    func idInUse() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            let error = await #expect(throws: RunnerError.self) { try await lab.start(["serve"]) }
            #expect(error?.message.contains("running already") == true)
            try await lab.runners.waitReady(handle)
            await lab.runners.stop(handle, grace: .zero)
            await lab.runners.stop(try await lab.start(["serve"]), grace: .zero)
        }
    }

    @Test("shutting down while runners start ends them all, and later starts are refused", .timeLimit(.minutes(1)))
    func shutDownWhileStarting() async throws {
        let lab = try Lab()
        try await lab.runners.warmUp()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    // Started or refused: either is right, staying is not.
                    _ = try? await lab.start(["stubborn"], id: "r\(number)")
                }
            }
            group.addTask { await lab.runners.shutdown(grace: .zero) }
        }
        #expect((0..<20).allSatisfy { lab.runners.runner("r\($0)") == nil })
        await #expect(throws: RunnerError.self) { try await lab.start(["serve"], id: "late") }
        #expect(!lab.runners.cgroups.directories.contains(where: fileExists))
        runCommand(["rm", "-rf", lab.directory])
    }

    @Test("an ended runner's network is kept until whoever has its handle can have heard of the end")
    func networkOutlivesRunner() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            await lab.runners.stop(handle, grace: .zero)
            let next = try await lab.start(["serve"], id: "hello-00001-b")
            #expect(next.networkNamespace != handle.networkNamespace)
            #expect(next.port != handle.port)
            #expect(try await lab.request(handle).isEmpty)
        }
    }

    @Test("limits below what the kernel takes are refused, not raised in silence")
    func limitsTooSmall() async throws {
        try await Lab.with { lab in
            let error = await #expect(throws: RunnerError.self) {
                try await lab.start(["serve"]) { $0.cpu = CPUQuantity(millicores: 5) }
            }
            #expect(error?.reason == "LimitRefused")
            #expect(error?.message.contains("cpu of at least 10m") == true)
        }
    }

    @Test("SIGTERM reaches the program, which may say bye")
    func stopped() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["polite"])
            try await lab.runners.waitReady(handle)
            await lab.runners.stop(handle, grace: .seconds(5))
            #expect(lab.runners.logs.lines(ofRevision: "default/hello-00001", last: 9).map(\.text).contains("bye"))
        }
    }

    @Test("a program that ignores SIGTERM is killed after the grace")
    func stubborn() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["stubborn"])
            try await lab.runners.waitReady(handle)
            let begin = ContinuousClock.now
            await lab.runners.stop(handle, grace: .milliseconds(200))
            #expect(ContinuousClock.now - begin >= .milliseconds(200))
            #expect(kill(handle.pid, 0) == -1)
        }
    }

    @Test("a bundle or program that is not there is named")
    func missing() async throws {
        try await Lab.with { lab in
            let error = await #expect(throws: RunnerError.self) { try await lab.start([]) { $0.executable = "nosuch" } }
            #expect(error?.reason == "BundleMissing")
        }
    }

    @Test("a flood of output is bounded and counted")
    func flood() async throws {
        try await Lab.with { lab in
            _ = try await lab.run(["flood", "200000"])
            let lines = lab.runners.logs.lines(ofApp: "default/hello", last: 10_000)
            #expect(lines.count < 6000)
            #expect(lines.contains { $0.stream == .meridian && $0.text.contains("lines dropped") })
        }
    }

    @Test("followers get lines as they come")
    func follow() async throws {
        try await Lab.with { lab in
            let lines = lab.runners.logs.follow(app: "default/hello")
            _ = try await lab.run(["exit", "0"])
            for await line in lines {
                #expect(line.text == "cannot open database")
                #expect(line.stream == .errors)
                break
            }
        }
    }

    @Test("a dead launcher takes its runners along, is noticed, and the next start works")
    func launcherKilled() async throws {
        try await Lab.with { lab in
            let handle = try await lab.start(["serve"])
            try await lab.runners.waitReady(handle)
            let zygote = try await lab.runners.readyZygote()
            kill(zygote.pid, SIGKILL)
            for await exit in lab.runners.exits {
                #expect(exit.message.contains("launcher died"))
                break
            }
            #expect(try await eventually { kill(handle.pid, 0) == -1 })
            let next = try await lab.start(["serve"], id: "hello-00001-b")
            try await lab.runners.waitReady(next)
            await lab.runners.stop(next, grace: .zero)
        }
    }
}
