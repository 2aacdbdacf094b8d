// LogFile: the file of one runner's log and the one before it; a disk that takes nothing is said and outlived.
internal import Glibc

/// Appends lines to a file that becomes the previous one when it is full.
struct LogFile {
    /// The size at which a file becomes the previous one; two of them are a runner's most.
    static let bytesMax = 1 << 20

    private let path: String
    private var file: Descriptor?
    private var bytes = 0
    /// Lines that the disk has not taken since the last that it took, and why.
    private var unwritten = 0
    private var reason = ""

    init(path: String) { self.path = path }

    /// Appends lines, after the number of those that the disk did not take before.
    ///
    /// The answer is a line for followers, once, where the disk takes nothing from now on. Never throws: a full disk must
    /// not stop a runner.
    mutating func append(_ lines: [LogLine], remark: (String) -> LogLine) -> LogLine? {
        guard !lines.isEmpty else { return nil }
        let missing = unwritten == 0 ? [] : [remark("\(unwritten) lines are missing here: \(reason)")]
        let code = write(Array((missing + lines).map(\.fileText).joined().utf8))
        guard code != 0 else {
            unwritten = 0
            return nil
        }
        let isFirst = unwritten == 0
        unwritten += lines.count
        reason = errorWords(code)
        return isFirst ? remark("the log cannot be written (\(reason)): only who follows it sees what comes") : nil
    }

    /// Closes the file; it is opened anew when there is more.
    mutating func close() { file = nil }

    /// All of the bytes or none; the answer is an errno, 0 where they are written.
    private mutating func write(_ text: [UInt8]) -> Int32 {
        if file != nil, bytes + text.count > Self.bytesMax {
            rename(path, path + ".1")
            file = nil
        }
        if file == nil {
            do throws(SystemError) {
                try open()
            } catch {
                return error.code
            }
        }
        guard let file else { return EBADF }
        let count = Glibc.write(file.raw, text, text.count)
        guard count != text.count else {
            bytes += count
            return 0
        }
        let code = count < 0 ? errno : ENOSPC
        // What was taken of it ends amid a line. Shrinking needs no room; where it fails readers pass the line over.
        _ = ftruncate(file.raw, off_t(bytes))
        return code
    }

    private mutating func open() throws(SystemError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        if !fileExists(directory) { try makeDirectories(directory) }
        let raw = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard raw >= 0 else { throw SystemError("open \(path)") }
        file = Descriptor(owning: raw)
        bytes = max(0, Int(lseek(raw, 0, SEEK_END)))
    }
}
