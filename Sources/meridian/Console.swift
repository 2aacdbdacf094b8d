// Console: whole lines on the standard streams, at once.
import Glibc

/// Writes a line to standard output; a reader that has gone away is not an error of the platform.
func say(_ line: String) { write(line, to: STDOUT_FILENO) }

/// Writes a line to standard error.
func complain(_ line: String) { write(line, to: STDERR_FILENO) }

private func write(_ line: String, to descriptor: Int32) {
    var rest = Array((line + "\n").utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
