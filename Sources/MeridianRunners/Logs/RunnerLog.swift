// RunnerLog: the log file of one runner: bounded in rate and size, whatever the program prints.
internal import Glibc
internal import MeridianModel
internal import Synchronization

/// Takes a runner's output and keeps it: in its file (with one previous file), in memory (the last lines), at followers.
final class RunnerLog: Sendable {
    /// Lines that may come at once; a stack trace with all threads fits.
    static let burstLinesMax = 2000
    /// Lines per second in the long run; a log that people read has fewer.
    static let linesPerSecondMax = 500
    /// The lines that an error message may quote from.
    static let tailLinesMax = 50

    private struct State {
        var splitters: [LogStream: LineSplitter] = [:]
        var tail: [String] = []
        var allowance = RunnerLog.burstLinesMax
        var allowanceAt: Int64 = 0
        var dropped = 0
        var file: LogFile
    }

    private let runner: String
    private let revision: String
    private let feed: LogFeed
    private let now: @Sendable () -> Timestamp
    private let onClose: @Sendable () -> Void
    private let state: Mutex<State>

    /// `path` is the file's; `onClose` is called by `finish` or `close`.
    init(
        runner: String,
        revision: String,
        path: String,
        feed: LogFeed,
        now: @escaping @Sendable () -> Timestamp = wallClock,
        onClose: @escaping @Sendable () -> Void = {}
    ) {
        self.runner = runner
        self.revision = revision
        state = Mutex(State(file: LogFile(path: path)))
        self.feed = feed
        self.now = now
        self.onClose = onClose
    }

    /// The last lines of output, oldest first.
    var tail: [String] { state.withLock { $0.tail } }

    /// Takes bytes that the program wrote.
    func add(_ bytes: ArraySlice<UInt8>, _ stream: LogStream) {
        let time = now()
        let lines = state.withLock { state in
            let texts = state.splitters[stream, default: LineSplitter()].add(bytes)
            return keep(texts, stream, time, &state)
        }
        feed.publish(lines, revision: revision)
    }

    /// Takes what stands after the last newlines and a last remark, and closes the file.
    func finish(_ remark: String) {
        let time = now()
        let lines = state.withLock { state in
            var lines: [LogLine] = []
            for stream in [LogStream.output, .errors] {
                guard let text = state.splitters[stream]?.finish() else { continue }
                lines += keep([text], stream, time, &state)
            }
            state.allowance = max(state.allowance, 2)
            lines += keep([remark], .meridian, time, &state)
            state.file.close()
            return lines
        }
        feed.publish(lines, revision: revision)
        onClose()
    }

    /// Closes the file of a runner that never came to be.
    func close() {
        state.withLock { $0.file.close() }
        onClose()
    }

    private func keep(
        _ texts: [String],
        _ stream: LogStream,
        _ time: Timestamp,
        _ state: inout State
    ) -> [LogLine] {
        refill(&state, time)
        var lines: [LogLine] = []
        for text in texts {
            if stream != .meridian {
                state.tail.append(text)
                if state.tail.count > Self.tailLinesMax { state.tail.removeFirst() }
            }
            guard state.allowance > 0 else {
                state.dropped += 1
                continue
            }
            if state.dropped > 0 {
                let remark = "\(state.dropped) lines dropped: more than \(Self.linesPerSecondMax) lines per second"
                lines.append(LogLine(time: time, stream: .meridian, runner: runner, text: remark))
                state.dropped = 0
            }
            state.allowance -= 1
            lines.append(LogLine(time: time, stream: stream, runner: runner, text: text))
        }
        let remark = state.file.append(lines) { text in
            LogLine(time: time, stream: .meridian, runner: runner, text: text)
        }
        return lines + (remark.map { [$0] } ?? [])
    }

    private func refill(_ state: inout State, _ time: Timestamp) {
        let elapsed = max(0, time.milliseconds - state.allowanceAt)
        let earned = elapsed * Int64(Self.linesPerSecondMax) / 1000
        guard earned > 0 else { return }
        state.allowance = Int(min(Int64(Self.burstLinesMax), Int64(state.allowance) + earned))
        state.allowanceAt = time.milliseconds
    }
}

/// The time of the machine's clock.
@Sendable func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
