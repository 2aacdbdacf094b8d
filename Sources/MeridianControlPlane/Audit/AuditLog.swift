// AuditLog: the audit log's lines, written beside the requests that they tell of.
import Dispatch
import Logging
import MeridianModel
import MeridianPorts
import Synchronization

/// Writes entries one by one, a JSON line each, from a bounded queue.
///
/// Requests never wait for the disk: where it takes nothing, or too slowly, entries are lost, which is logged at once
/// and told by a line of the log itself when it goes on.
final class AuditLog: AuditPort {
    /// Entries that wait; some seconds of writes at full speed.
    private static let waitingMax = 16_384

    fileprivate struct State {
        var waiting: [JSONValue] = []
        var lost = 0
        /// All that were lost since the start, and why the last ones were.
        var lostSinceStart = 0
        var reason = ""
        var isWriting = false
    }

    private let state = Mutex(State())
    private let file: RotatedFile
    private let queue = DispatchQueue(label: "meridian.audit")
    private let clock: any ClockPort
    private let logger: Logger

    /// A log in the file at `path`; it and its predecessors (`path.1`, …) are made when they are needed.
    init(path: String, clock: any ClockPort = SystemClock(), logger: Logger) {
        file = RotatedFile(path: path)
        self.clock = clock
        self.logger = logger
    }

    /// The words for what was lost since the start; nil where nothing was.
    var warning: String? {
        let (count, reason) = state.withLock { ($0.lostSinceStart, $0.reason) }
        guard count > 0 else { return nil }
        return "the audit log has lost \(count) entries since the start: \(reason)"
    }

    func record(_ entry: JSONValue) {
        let starts = state.withLock { state in
            guard state.waiting.count < Self.waitingMax else {
                state.lose(1, "they came faster than the disk took them")
                return false
            }
            state.waiting.append(entry)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if starts { queue.async { self.drain() } }
    }

    /// Returns when everything recorded so far is written or was given up.
    func flush() { queue.sync { drain() } }

    /// Writes until nothing waits; runs on the queue alone.
    private func drain() {
        while let batch = state.withLock({ $0.take() }) { write(batch.entries, lost: batch.lost) }
    }

    private func write(_ entries: [JSONValue], lost: Int) {
        var lines = entries.map { $0.utf8() + [UInt8(ascii: "\n")] }
        if lost > 0 { lines.insert(gap(lost), at: 0) }
        do throws(ControlPlaneError) {
            try file.append(lines)
        } catch {
            // What was lost before is in the sum already.
            state.withLock { state in
                state.lose(entries.count, "\(error)")
                state.lost += lost
            }
            logger.error(
                "the audit log cannot be written",
                metadata: ["reason": "\(error)", "lost": "\(entries.count + lost)"]
            )
        }
    }

    /// The line that stands for entries that are missing before it.
    private func gap(_ lost: Int) -> [UInt8] {
        let entry: JSONValue = [
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "Panic",
            "stageTimestamp": .string(clock.now.description),
            "annotations": ["meridian.dev/lost": .string(String(lost))],
        ]
        return entry.utf8() + [UInt8(ascii: "\n")]
    }
}

extension AuditLog.State {
    fileprivate mutating func lose(_ count: Int, _ reason: String) {
        lost += count
        lostSinceStart += count
        self.reason = reason
    }

    /// The next entries to write and how many were lost before them; nil: none wait, and the next one starts the writer.
    fileprivate mutating func take() -> (entries: [JSONValue], lost: Int)? {
        isWriting = !waiting.isEmpty
        guard isWriting else { return nil }
        defer { (waiting, lost) = ([], 0) }
        return (waiting, lost)
    }
}
