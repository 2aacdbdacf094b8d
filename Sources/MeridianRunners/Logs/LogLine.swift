// LogLine: one line of a runner's output, and its form in a log file.
package import MeridianModel

/// Where a line came from.
package enum LogStream: String, Sendable {
    case output = "stdout"
    case errors = "stderr"
    /// Meridian's own remarks: dropped lines, the runner's end.
    case meridian
}

/// One line of output.
package struct LogLine: Sendable, Equatable {
    package let time: Timestamp
    package let stream: LogStream
    /// The runner's id.
    package let runner: String
    /// Without the newline, cut at 4 KiB.
    package let text: String

    package init(time: Timestamp, stream: LogStream, runner: String, text: String) {
        self.time = time
        self.stream = stream
        self.runner = runner
        self.text = text
    }

    /// `2026-11-24T22:55:12.123Z stdout text`.
    var fileText: String { "\(time) \(stream.rawValue) \(text)\n" }

    /// Reads a line of a file back; nil for a line that was cut.
    init?(fileText: Substring, runner: String) {
        let parts = fileText.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let time = Timestamp(String(parts[0])),
            let stream = LogStream(rawValue: String(parts[1]))
        else { return nil }
        self.init(time: time, stream: stream, runner: runner, text: String(parts[2]))
    }
}
