// TextSink: where a verb writes text.

/// Takes text, in order, from any task.
protocol TextSink: Sendable {
    /// Writes all of `text` before it returns.
    func write(_ text: String)

    /// The width in columns where a person looks at it; nil for files and pipes.
    var terminalColumns: Int? { get }
}

extension TextSink {
    /// Writes `text` and a newline.
    func writeLine(_ text: String) { write(text + "\n") }
}
