// StoreLock: one process at a time has a store open.
internal import Glibc
internal import MeridianPorts
internal import Synchronization

/// An exclusive lock on a file beside the store (flock(2)); the kernel lets go of it when the process dies.
final class StoreLock: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes the lock.
    ///
    /// - Throws: `.unavailable`, naming the process that has the store open.
    init(path: String, store: String) throws(StoreError) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StoreError(.unavailable, "cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(file)
            close(file)
            throw StoreError(
                .unavailable,
                "the store \(store) is open in another process\(holder)."
                    + " Stop that one, or use another data directory"
            )
        }
        // The process number serves the message above only, so a failure to write it is no failure of the lock.
        let number = Array("\(getpid())\n".utf8)
        if ftruncate(file, 0) == 0 { _ = pwrite(file, number, number.count, 0) }
        descriptor = Mutex(file)
    }

    deinit { release() }

    /// Lets go of the lock; a second call does nothing.
    func release() {
        let file = descriptor.withLock { current in
            defer { current = -1 }
            return current
        }
        if file >= 0 { close(file) }
    }

    private static func holder(_ file: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(file, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "" : " (\(String(decoding: digits, as: UTF8.self)))"
    }
}
