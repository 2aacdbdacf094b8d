// NodeLock: one node per data directory, and how its control plane finds it.
internal import Glibc
internal import MeridianPorts

/// Holds a data directory for this process until it ends; the file names the process.
struct NodeLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: `.refused` where another node holds it.
    init(path: String) throws(NodeError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw NodeError(.refused, "\(path): \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw NodeError(
                .refused,
                "another node runs on this data directory (\(path)). Stop it first, or name another with --data"
            )
        }
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0, text.withCString({ write(descriptor, $0, strlen($0)) }) > 0 else {
            close(descriptor)
            throw NodeError(.refused, "\(path): \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
