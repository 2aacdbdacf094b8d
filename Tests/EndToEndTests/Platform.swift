// Platform: a real `meridian up` with a data directory and ports of its own.
import Foundation
import Glibc

/// A running platform; it is drained when its owner lets it go.
final class Platform {
    let data: ScratchDirectory
    private(set) var api = ""
    private(set) var edgePort: UInt16 = 0
    private var process: Process?
    private let options: [String]

    /// How long the platform may take to print its addresses.
    private static let readySeconds = 60.0

    /// A platform that is up, on the data in a directory, which then goes with it, or on none.
    ///
    /// `options`: further arguments of `meridian up`.
    init(data: ScratchDirectory? = nil, options: [String] = []) throws {
        self.data = try data ?? ScratchDirectory()
        self.options = options
        try start()
    }

    deinit { stop() }

    /// Starts the control plane (again) on the same data.
    func start() throws {
        let process = Process()
        process.executableURL = URL(filePath: Programs.meridian)
        let edge = edgePort == 0 ? "127.0.0.1:0" : "127.0.0.1:\(edgePort)"
        process.arguments = ["up", "--data", data.path, "--api", "127.0.0.1:0", "--edge", edge, "--log-level", "info"]
        process.arguments? += options
        process.environment = ProcessInfo.processInfo.environment
        let log = data.path + "/up.log"
        if !FileManager.default.fileExists(atPath: log) { try Data().write(to: URL(filePath: log)) }
        let handle = FileHandle(forWritingAtPath: log)
        try handle?.seekToEnd()
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = process
        let file = data.path + "/server.json"
        let pid = process.processIdentifier
        let isUp = eventually(within: Self.readySeconds) {
            guard let bytes = FileManager.default.contents(atPath: file),
                let server = try? JSONDecoder().decode(ServerFile.self, from: bytes), server.pid == pid
            else { return false }
            api = server.api
            edgePort = UInt16(server.edge.first?.split(separator: ":").last ?? "") ?? 0
            return true
        }
        guard isUp, edgePort != 0 else { throw PlatformError(message: "the platform did not come up:\n\(self.log)") }
    }

    private struct ServerFile: Decodable {
        let api: String
        let edge: [String]
        let pid: Int32
    }

    /// Everything the processes of the platform have logged.
    var log: String {
        ["up.log", "node/node.log"].map { name in
            let text = (try? String(contentsOfFile: "\(data.path)/\(name)", encoding: .utf8)) ?? ""
            return "--- \(name)\n\(text.suffix(6000))"
        }.joined(separator: "\n")
    }

    /// The control plane's process.
    var controlPid: pid_t { process?.processIdentifier ?? 0 }

    /// The node's process, as it says itself in its lock file.
    var nodePid: pid_t {
        let text = (try? String(contentsOfFile: data.path + "/node/node.lock", encoding: .utf8)) ?? ""
        return pid_t(text.prefix { $0.isNumber }) ?? 0
    }

    /// Kills the control plane without warning; the node stays.
    func killControlPlane() {
        kill(controlPid, SIGKILL)
        process?.waitUntilExit()
        process = nil
    }

    /// Stops as ctrl-C does, and kills what is left after a minute.
    func stop() {
        guard let process else { return }
        kill(process.processIdentifier, SIGINT)
        let deadline = Date(timeIntervalSinceNow: 60)
        while process.isRunning, Date() < deadline { usleep(10_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        self.process = nil
        let node = nodePid
        if node > 0, kill(node, 0) == 0 { kill(node, SIGTERM) }
    }

    /// Runs a verb of the client against this platform.
    func meridian(_ arguments: String..., input: String? = nil, seconds: Double = 300) throws -> CommandResult {
        try Command.run(
            Programs.meridian,
            arguments + ["--server", api],
            input: input,
            seconds: seconds
        )
    }

    /// Applies a manifest text whose sources are relative to `directory`, and waits.
    func apply(_ manifest: String, in directory: ScratchDirectory, wait: Bool = true) throws -> CommandResult {
        let path = "\(directory.path)/manifest-\(UUID().uuidString).yaml"
        try manifest.write(toFile: path, atomically: true, encoding: .utf8)
        defer { withExtendedLifetime(directory) { _ = unlink(path) } }
        return try Command.run(
            Programs.meridian,
            ["apply", "-f", path, "--server", api] + (wait ? ["--wait=5m"] : []),
            seconds: 320
        )
    }

    /// One request through the edge.
    func get(_ host: String, _ path: String = "/", headers: [String: String] = [:]) throws -> HTTPAnswer {
        try HTTPConnection(port: edgePort).get(host, path, headers: headers)
    }

    /// The processes of runners of this platform's node: what runs below its zygote, sandbox programs included.
    var runnerProcesses: [pid_t] {
        let node = nodePid
        guard node > 0 else { return [] }
        return Processes.descendants(of: node).filter { Processes.isRunnerProgram($0) }
    }
}

/// Why a platform did not come up.
struct PlatformError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}

/// The programs under test, beside the test bundle.
enum Programs {
    static let directory: String = {
        let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
        let executable = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .path
        return bundle.map { URL(filePath: $0).deletingLastPathComponent().path } ?? executable
    }()

    static let meridian = ProcessInfo.processInfo.environment["MERIDIAN_PROGRAM"] ?? "\(directory)/meridian"

    /// The project's root, from this file's place.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().resolvingSymlinksInPath().path

    /// Why the platform cannot run here; nil where it can.
    static let missing: String? = {
        if geteuid() != 0 { return "sandboxes need root here" }
        if !FileManager.default.isExecutableFile(atPath: meridian) { return "\(meridian) is not built" }
        return nil
    }()
}

/// What the kernel says of processes.
enum Processes {
    /// Every process below `pid`, its children's children included.
    static func descendants(of pid: pid_t) -> [pid_t] {
        var children: [pid_t: [pid_t]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let one = pid_t(name), let parent = parent(of: one) else { continue }
            children[parent, default: []].append(one)
        }
        var found: [pid_t] = []
        var pending = [pid]
        while let next = pending.popLast() {
            found += children[next] ?? []
            pending += children[next] ?? []
        }
        return found
    }

    private static func parent(of pid: pid_t) -> pid_t? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? pid_t(fields[1]) : nil
    }

    /// Whether a process executes a program of an app's bundle.
    static func isRunnerProgram(_ pid: pid_t) -> Bool {
        let words = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
        return !words.isEmpty && !words.contains("meridian-zygote")
    }
}
