// Command: runs a real program to its end and keeps what it said.
import Foundation
import Glibc

/// A program's end.
struct CommandResult {
    let code: Int32
    let output: String
    let errors: String

    /// Both streams, for messages of failed expectations.
    var all: String { "exit \(code)\n\(output)\n\(errors)" }
}

/// Runs programs with a bound on time.
enum Command {
    /// Runs a program; it is killed after `seconds`.
    static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String? = nil,
        directory: String? = nil,
        seconds: Double = 120
    ) throws -> CommandResult {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(filePath: directory) }
        let scratch = try ScratchDirectory()
        let outputPath = scratch.path + "/out"
        let errorPath = scratch.path + "/err"
        for path in [outputPath, errorPath] { try Data().write(to: URL(filePath: path)) }
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        if let input {
            let path = scratch.path + "/in"
            try Data(input.utf8).write(to: URL(filePath: path))
            process.standardInput = FileHandle(forReadingAtPath: path)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        let deadline = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < deadline { usleep(2000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return CommandResult(
            code: process.terminationStatus,
            output: try String(contentsOfFile: outputPath, encoding: .utf8),
            errors: try String(contentsOfFile: errorPath, encoding: .utf8)
        )
    }

    /// The path of a program on PATH; nil where there is none.
    static func find(_ name: String) -> String? {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return search.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}

/// A directory that goes when its owner does.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/meridian-e2e-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// A directory that somebody else made.
    init(adopting path: String) { self.path = path }

    deinit {
        // What cannot be removed (a file of another user) is left to the system's own cleaning.
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Looks until `condition` holds; false where it did not within `seconds`.
func eventually(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
        if try condition() { return true }
        usleep(20_000)
    }
    return try condition()
}
