// RunnerLogs: reading the logs of revisions and apps over all their runners, and following them.
internal import Glibc
internal import MeridianModel
internal import Synchronization

/// The logs of this node: `<directory>/<namespace>/<revision>/<runner>.log`, and `.log.1` before it.
package final class RunnerLogs: Sendable {
    /// Runners whose logs are kept per revision; the oldest of ended ones go when another one ends.
    package static let runnersPerRevisionMax = 16
    /// Lines of one answer at most.
    package static let linesMax = 10_000

    private let directory: String
    let feed = LogFeed()
    /// The files of runners that live: these are not pruned however quiet they are.
    private let live = Mutex<Set<String>>([])

    package init(directory: String) {
        self.directory = directory
    }

    /// The last lines of one revision (`namespace/name`) over all its runners, oldest first, at most `count`.
    package func lines(ofRevision revision: String, last count: Int) -> [LogLine] {
        newest(count, read(revision))
    }

    /// The last lines of every revision of an app (`namespace/name`), oldest first, at most `count`.
    package func lines(ofApp app: String, last count: Int) -> [LogLine] {
        guard Self.isSound(app) else { return [] }
        let parts = app.split(separator: "/")
        // No directory: the app has never had a runner here.
        let names = (try? listDirectory("\(directory)/\(parts[0])")) ?? []
        let revisions = names.map { "\(parts[0])/\($0)" }.filter { Self.isRevision($0, of: app) }
        return newest(count, revisions.flatMap { read($0) })
    }

    /// The lines of one revision (`namespace/name`) from now on.
    ///
    /// A reader that falls more than 4096 lines behind misses the oldest of them.
    package func follow(revision: String) -> AsyncStream<LogLine> {
        feed.follow { $0 == revision }
    }

    /// The lines of every revision of an app (`namespace/name`) from now on, new revisions included.
    package func follow(app: String) -> AsyncStream<LogLine> {
        feed.follow { Self.isRevision($0, of: app) }
    }

    /// Opens the log of a new runner, quickly, since a request waits.
    ///
    /// Logs of runners long gone are removed at its end.
    func open(_ runner: String, revision: String) throws(SystemError) -> RunnerLog {
        guard Self.isSound(revision) else { throw SystemError("keep a log for \(revision)", code: EINVAL) }
        let place = "\(directory)/\(revision)"
        let path = "\(place)/\(runner).log"
        live.withLock { _ = $0.insert(path) }
        return RunnerLog(
            runner: runner,
            revision: revision,
            path: path,
            feed: feed,
            onClose: { [weak self] in self?.close(path, in: place) }
        )
    }

    private func close(_ path: String, in place: String) {
        live.withLock { _ = $0.remove(path) }
        prune(place)
    }

    /// `namespace/name`, so that it stays inside the directory.
    static func isSound(_ revision: String) -> Bool {
        let parts = revision.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.utf8.contains(0) }
    }

    /// `default/hello-00003` is of `default/hello`.
    static func isRevision(_ revision: String, of app: String) -> Bool {
        guard revision.hasPrefix(app + "-") else { return false }
        let number = revision.dropFirst(app.count + 1)
        return number.utf8.count == 5 && number.allSatisfy { $0.isASCII && $0.isNumber }
    }

    private func newest(_ count: Int, _ lines: [LogLine]) -> [LogLine] {
        let sorted = lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return sorted.suffix(max(0, min(count, Self.linesMax))).map(\.element)
    }

    private func read(_ revision: String) -> [LogLine] {
        guard Self.isSound(revision) else { return [] }
        let place = "\(directory)/\(revision)"
        // No directory: the revision has never had a runner here.
        let names = (try? listDirectory(place)) ?? []
        let runners = names.filter { $0.hasSuffix(".log") }.map { String($0.dropLast(4)) }
        return runners.flatMap { runner in
            ["\(place)/\(runner).log.1", "\(place)/\(runner).log"].flatMap { path in
                // A file that rotates away while it is read has its lines in the other one.
                ((try? readText(path)) ?? "").split(separator: "\n").compactMap {
                    LogLine(fileText: $0, runner: runner)
                }
            }
        }
    }

    private func prune(_ place: String) {
        let live = live.withLock { $0 }
        let names = ((try? listDirectory(place)) ?? []).filter { name in
            name.hasSuffix(".log") && !live.contains("\(place)/\(name)")
        }
        guard names.count > Self.runnersPerRevisionMax else { return }
        let aged = names.map { (name: $0, changed: changeTime("\(place)/\($0)")) }.sorted { $0.changed < $1.changed }
        for old in aged.prefix(names.count - Self.runnersPerRevisionMax) {
            unlink("\(place)/\(old.name)")
            unlink("\(place)/\(old.name).1")
        }
    }

    private func changeTime(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
}
