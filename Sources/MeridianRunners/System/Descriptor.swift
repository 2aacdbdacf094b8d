// Descriptor: an open file that is closed exactly once.
internal import Glibc

/// Owns a file descriptor and closes it with the last reference.
final class Descriptor: Sendable {
    /// The number; valid while this object lives.
    let raw: Int32

    /// Takes ownership of `raw`, which is open.
    init(owning raw: Int32) {
        precondition(raw >= 0, "a descriptor is never negative")
        self.raw = raw
    }

    deinit {
        // Linux closes the descriptor even where close(2) reports an error, and nothing here has unwritten data.
        _ = close(raw)
    }

    /// Opens a file with O_CLOEXEC added to `flags`.
    static func open(_ path: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        let raw = Glibc.open(path, flags | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open \(path)") }
        return Descriptor(owning: raw)
    }
}
