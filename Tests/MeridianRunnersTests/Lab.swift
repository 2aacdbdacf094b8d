// Lab: a data directory, a bundle with the test program, and runners over them.
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

/// Whether this machine lets the tests make sandboxes; the reason is printed where it does not.
let canSandbox: Bool = {
    let reason: String? =
        if geteuid() != 0 { "not root" } else if ZygoteProgram.locate() == nil {
            "meridian-zygote is not built"
        } else if compiledProgram == nil { "no cc" } else { nil }
    if let reason { print("skipped: sandboxes need \(reason)") }
    return reason == nil
}()

/// The path of the compiled test program; nil where there is no C compiler.
let compiledProgram: String? = {
    guard let directory = temporaryDirectory() else { return nil }
    atexit { Lab.removeCompiled() }
    // Builds run it as another user.
    chmod(directory, 0o755)
    let source = "\(directory)/program.c"
    guard let file = fopen(source, "w") else { return nil }
    fputs([programSource, systemProbeSource, networkProbeSource, probeSource].joined(separator: "\n"), file)
    fclose(file)
    let program = "\(directory)/program"
    return runCommand(["cc", "-O1", "-w", "-static", "-no-pie", "-o", program, source]) == 0 ? program : nil
}()

/// The allowlist that apps have by default.
let defaultProfile = SyscallGroup.allCases.flatMap(\.syscalls).sorted()

/// A new directory; in the one of the stand-in where this process is it, since that one is killed and cleans up nothing.
func temporaryDirectory() -> String? {
    let place = getenv("MERIDIAN_TEST_STAND_IN").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(place)/meridian-runners-XXXXXX".utf8CString)
    return mkdtemp(&template).map { String(cString: $0) }
}

/// Runs a command to its end; the answer is its exit status, 128 and the signal where it was killed.
@discardableResult
func runCommand(_ arguments: [String], output: String? = nil) -> Int32 {
    guard let pid = spawnCommand(arguments, output: output) else { return -1 }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
}

/// Starts a command with its output in a file; the answer is its process id.
func spawnCommand(_ arguments: [String], output: String? = nil) -> Int32? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let output {
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
    }
    var pid: Int32 = 0
    var raw: [UnsafeMutablePointer<CChar>?] = []
    for argument in arguments { raw.append(strdup(argument)) }
    raw.append(nil)
    defer { for argument in raw { free(argument) } }
    return posix_spawnp(&pid, arguments[0], &actions, nil, &raw, environ) == 0 ? pid : nil
}

/// Polls a condition for at most ten seconds.
func eventually(_ condition: () async -> Bool) async throws -> Bool {
    for _ in 0..<2000 {
        if await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// One node's runners for one test.
final class Lab: Sendable {
    let directory: String
    let bundle: String
    let runners: SandboxedRunners

    /// In a new directory, or as the next node over an earlier one's.
    init(directory earlier: String? = nil) throws {
        directory = try #require(earlier ?? temporaryDirectory())
        bundle = "\(directory)/bundle"
        runners = try SandboxedRunners(
            program: try #require(ZygoteProgram.locate()),
            dataDirectory: "\(directory)"
        )
        try makeDirectories(bundle)
        runCommand(["cp", try #require(compiledProgram), "\(bundle)/server"])
        runCommand(["sh", "-c", "echo asset > \(bundle)/asset.txt"])
    }

    /// Runs `body` with a lab that is taken down afterwards.
    static func with<Answer>(_ body: (Lab) async throws -> Answer) async throws -> Answer {
        let lab = try Lab()
        do {
            let answer = try await body(lab)
            await lab.close()
            return answer
        } catch {
            await lab.close()
            throw error
        }
    }

    func close() async {
        await runners.shutdown(grace: .zero)
        runCommand(["rm", "-rf", directory])
    }

    static func removeCompiled() {
        guard let compiledProgram else { return }
        runCommand(["rm", "-rf", String(compiledProgram.dropLast("/program".count))])
    }

    func template(_ arguments: [String], _ change: (inout RunnerTemplate) -> Void = { _ in }) -> RunnerTemplate {
        var template = RunnerTemplate()
        template.executable = "server"
        template.arguments = arguments
        template.syscalls = defaultProfile
        template.readyTimeout = .seconds(5)
        change(&template)
        return template
    }

    func start(
        _ arguments: [String],
        id: String = "hello-00001-a",
        _ change: (inout RunnerTemplate) -> Void = { _ in }
    ) async throws -> RunnerHandle {
        try await runners.start(
            id,
            revision: "default/hello-00001",
            template(arguments, change),
            bundle: bundle
        )
    }

    /// Runs the program to its end; how it ended and what it printed.
    func run(
        _ arguments: [String],
        _ change: (inout RunnerTemplate) -> Void = { _ in }
    ) async throws -> (exit: RunnerExit, output: [String]) {
        try await finish(try await start(arguments, change))
    }

    /// Waits for the end of a started program; how it ended and what it printed.
    func finish(_ handle: RunnerHandle) async throws -> (exit: RunnerExit, output: [String]) {
        for await exit in runners.exits where exit.id == handle.id {
            let lines = runners.logs.lines(ofRevision: "default/hello-00001", last: 10_000)
            return (exit, lines.filter { $0.stream != .meridian }.map(\.text))
        }
        throw CancellationError()
    }

    func check(
        _ arguments: [String],
        timeout: Duration = .seconds(3),
        _ change: (inout RunnerTemplate) -> Void = { _ in }
    ) async throws -> PortCheckReport {
        try await runners.checkPort(
            "check",
            revision: "default/hello-00001",
            template(arguments, change),
            bundle: bundle,
            timeout: timeout
        )
    }

    /// One HTTP request over a socket in the runner's network; the whole answer.
    func request(_ handle: RunnerHandle) async throws -> String {
        let socket = try RunnerNetwork().connect(to: handle)
        defer { closeSocket(socket) }
        let flags = fcntl(socket, F_GETFL)
        _ = fcntl(socket, F_SETFL, flags & ~O_NONBLOCK)
        var ready = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        poll(&ready, 1, 2000)
        let bytes = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &answer, answer.count, 0)
        return String(decoding: answer.prefix(max(0, count)), as: UTF8.self)
    }

    private func closeSocket(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}
