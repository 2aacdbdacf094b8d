// Quiet: whether the machine does nothing else at the moment, so that a measurement means something.
import Glibc

enum Quiet {
    /// Looks, a millisecond apart, before a repetition is taken although others work.
    private static let looksMax = 20

    /// Waits for a moment in which this thread alone is running; false where none came.
    static func wait() -> Bool {
        for _ in 0..<looksMax {
            if running <= 1 { return true }
            usleep(1000)
        }
        return false
    }

    /// Whether nobody but this process is busy just after a measurement: one thread of it may still wind down.
    static var held: Bool { running <= 2 }

    /// Threads of the machine that run or want to (proc_loadavg(5), the fourth field).
    private static var running: Int {
        guard let file = fopen("/proc/loadavg", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let fields = text.split(separator: " ")
        return fields.count > 3 ? fields[3].split(separator: "/").first.flatMap { Int($0) } ?? 0 : 0
    }
}
