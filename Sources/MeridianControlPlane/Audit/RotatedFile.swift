// RotatedFile: a file of lines that makes way for a new one when it is large, and a few predecessors.
import Glibc

/// Appends to the file at a path; used by one thread at a time.
final class RotatedFile: Sendable {
    /// Sixteen megabytes: some twenty thousand entries, which a text tool still opens.
    private static let bytesMax = 16 << 20
    /// Files that are kept beside the current one.
    static let predecessorsMax = 7

    private let path: String

    init(path: String) { self.path = path }

    /// Appends lines, each ended by a newline, as one write.
    ///
    /// The file is opened anew for each, so that one that was moved away by somebody else is followed at once.
    func append(_ lines: [[UInt8]]) throws(ControlPlaneError) {
        let bytes = lines.flatMap(\.self)
        try makeRoom(for: bytes.count)
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("cannot be opened", path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("cannot be written", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Moves each file one place on where the current one would grow too large.
    private func makeRoom(for count: Int) throws(ControlPlaneError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0, Int(status.st_size) + count > Self.bytesMax else { return }
        for number in stride(from: Self.predecessorsMax - 1, through: 0, by: -1) {
            let from = number == 0 ? path : "\(path).\(number)"
            guard rename(from, "\(path).\(number + 1)") == 0 || errno == ENOENT else {
                throw failure("cannot be moved", from)
            }
        }
    }

    private func failure(_ what: String, _ path: String) -> ControlPlaneError {
        ControlPlaneError("\(path) \(what): \(String(cString: strerror(errno))). Free the disk or check its mode")
    }
}
