// LastLines: the last lines of a build's output, for its error.
internal import Synchronization

/// Keeps the last `count` lines; written by the thread that reads, read by the one that waits.
final class LastLines: Sendable {
    private let count: Int
    private let kept = Mutex<[String]>([])

    init(count: Int) { self.count = count }

    /// The lines, oldest first.
    var lines: [String] { kept.withLock { $0 } }

    /// Adds a line and forgets the oldest beyond the count.
    func append(_ line: String) {
        kept.withLock { lines in
            if lines.count == count { lines.removeFirst() }
            lines.append(line)
        }
    }
}
