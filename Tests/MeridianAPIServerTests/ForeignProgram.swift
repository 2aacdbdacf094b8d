// ForeignProgram: real clients from elsewhere: kubectl in two versions, and Kubernetes' client for Python.
import Foundation
import Synchronization

/// A program's end.
struct ProgramEnd {
    let code: Int32
    /// What it printed, errors after output.
    let text: String
}

/// Where the real clients are; `.ci/test` puts them there.
enum ForeignProgram {
    /// The root of the package, whatever links lead to this file.
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// The path of a client: what the variable names, else the file below the package; nil with a printed reason.
    static func find(_ name: String, variable: String, file: String) -> String? {
        let path = ProcessInfo.processInfo.environment[variable] ?? "\(root)/\(file)"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            print("skipped: \(name) is not at \(path); .ci/test puts it there, or name one in $\(variable)")
            return nil
        }
        return path
    }

    /// Runs a program to its end in `directory`; it is killed after `seconds`.
    static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        directory: String,
        seconds: Double = 60
    ) async throws -> ProgramEnd {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardInput = FileHandle.nullDevice
        // Files rather than pipes, so that a program that prints much never waits for a reader.
        let outputs = ["output", "errors"].map { "\(directory)/\($0)-\(UUID().uuidString)" }
        for output in outputs { try Data().write(to: URL(filePath: output)) }
        process.standardOutput = FileHandle(forWritingAtPath: outputs[0])
        process.standardError = FileHandle(forWritingAtPath: outputs[1])
        let (ends, ending) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in ending.finish() }
        try process.run()
        let id = process.processIdentifier
        let watchdog = Task {
            try await Task.sleep(for: .seconds(seconds))
            kill(id, SIGKILL)
        }
        for await _ in ends {}
        watchdog.cancel()
        process.waitUntilExit()
        let texts = try outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return ProgramEnd(code: process.terminationStatus, text: texts.joined())
    }
}

/// A directory that goes when its owner does.
final class TestDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/meridian-api-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, _ name: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: file)
    }
}
