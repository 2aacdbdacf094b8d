// ClientCounts: how many connections each client has open, shared by all loops.
internal import CLinux
internal import Glibc

/// Counts by address in fixed memory (a count-min sketch of two rows): never too low, and too high only where two
/// others meet an address in both rows.
///
/// `@unchecked Sendable`: the words are only touched through the atomic functions of CLinux.
final class ClientCounts: @unchecked Sendable {
    /// 1 MB together, of which untouched pages cost nothing; 50,000 clients meet in both rows in one case of four.
    private static let rowCount = 1 << 16

    private let words: UnsafeMutablePointer<Int64>

    init() {
        guard let memory = calloc(2 * Self.rowCount, MemoryLayout<Int64>.stride) else {
            preconditionFailure("no memory for a table of 1 MB")
        }
        words = memory.assumingMemoryBound(to: Int64.self)
    }

    deinit { free(words) }

    /// Counts a connection; gives the client's connections, this one included.
    func open(_ client: ClientAddress) -> Int64 {
        let (one, other) = places(of: client)
        return min(clinux_atomic_relaxed_add(one, 1), clinux_atomic_relaxed_add(other, 1))
    }

    /// Takes back what `open` counted.
    func close(_ client: ClientAddress) {
        let (one, other) = places(of: client)
        _ = clinux_atomic_relaxed_add(one, -1)
        _ = clinux_atomic_relaxed_add(other, -1)
    }

    private func places(of client: ClientAddress) -> (UnsafeMutablePointer<Int64>, UnsafeMutablePointer<Int64>) {
        let hash = UInt(bitPattern: client.key(0))
        let mask = UInt(Self.rowCount - 1)
        return (words + Int(hash & mask), words + Self.rowCount + Int((hash >> 32) & mask))
    }
}
