// BuildLogs: the log of every revision's build, bounded, written once and read by the API.
internal import Glibc
package import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Synchronization

/// The directory of build logs: `<logs>/builds/<namespace>/<revision>.log`, one line per line of output.
package struct BuildLogs: Sendable {
    /// Enough for some ten thousand lines; a thousand revisions then need at most 2 GiB.
    package static let logBytesMax = 2 << 20

    private let directory: String

    /// - Parameter logs: the directory that also holds other logs; `builds` is made in it.
    package init(logs: String) { directory = "\(logs)/builds" }

    /// The lines of a revision's build, oldest first.
    ///
    /// - Parameters:
    ///   - revision: `namespace/name`.
    ///   - last: only the last so many lines; nil: all.
    /// - Returns: nil where no build of that revision was logged.
    /// - Throws: where the log is there and cannot be read.
    package func read(_ revision: String, last: Int? = nil) throws(ContentError) -> [String]? {
        guard let path = path(of: revision) else { return nil }
        let bytes: [UInt8]
        do throws(ContentError) {
            // A little room for the line that says that the rest was not kept.
            bytes = try DurableFile.read(path, atMost: Self.logBytesMax + (64 << 10))
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        let wanted = last.map { lines.suffix(max(0, $0)) } ?? lines
        return wanted.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Deletes a revision's log; one that is not there is no error.
    package func remove(_ revision: String) {
        if let path = path(of: revision) { unlink(path) }
    }

    /// Starts a revision's log anew.
    func start(_ revision: String) throws(ContentError) -> BuildLog {
        guard let path = path(of: revision) else {
            throw ContentError(.refused, "\"\(revision)\" is no revision: expected namespace/name")
        }
        try DurableFile.createDirectory(DurableFile.directory(of: path))
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else {
            throw ContentError(.unavailable, "cannot open the build log \(path): \(errorText(errno))")
        }
        return BuildLog(descriptor: descriptor, bytesMax: Self.logBytesMax)
    }

    /// The log's file; nil for a text that is no `namespace/name` or would leave the directory.
    private func path(of revision: String) -> String? {
        let parts = revision.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = { (part: Substring) in
            !part.isEmpty && part.first != "." && part.utf8.count <= 253 && !part.contains("\0")
        }
        guard parts.count == 2, parts.allSatisfy(isPlain) else { return nil }
        return "\(directory)/\(revision).log"
    }
}

/// The log of one build while it is written; used from several threads.
final class BuildLog: Sendable {
    private struct State {
        var bytes = 0
        var isFull = false
        /// A full disk must not fail the build; the first failure ends the log.
        var isBroken = false
    }

    private let descriptor: Int32
    private let bytesMax: Int
    private let state = Mutex(State())

    /// Takes ownership of `descriptor`.
    init(descriptor: Int32, bytesMax: Int) {
        self.descriptor = descriptor
        self.bytesMax = bytesMax
    }

    deinit { close(descriptor) }

    /// Writes one thing that happened as one line: `<time> <stage> <text>`.
    func write(_ progress: BuildProgress) {
        switch progress {
        case .stageStarted(let stage): line(stage, "— started")
        case .stageEnded(let stage, let duration): line(stage, "— took \(duration.text)")
        case .output(let stage, let text): line(stage, text)
        }
    }

    /// Writes why the build failed.
    func write(_ error: BuildError) { line(error.stage, "— failed: \(error.reason): \(error.message)") }

    private func line(_ stage: BuildStage, _ text: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = Timestamp(milliseconds: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
        let line = "\(time) \(stage.rawValue) \(text)\n"
        state.withLock { state in
            guard !state.isBroken, !state.isFull else { return }
            state.bytes += line.utf8.count
            state.isFull = state.bytes > bytesMax
            let kept = state.isFull ? "\(time) \(stage.rawValue) … the rest of this log was not kept\n" : line
            state.isBroken = Glibc.write(descriptor, kept, kept.utf8.count) < 0
        }
    }
}
