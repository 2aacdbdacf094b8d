// ByteQueue: bytes that wait between a stream and the rest of the loop.
internal import Glibc

/// A first-in, first-out queue of bytes; whoever fills it keeps it bounded.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }

    mutating func append(_ added: UnsafePointer<UInt8>, _ count: Int) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: added, count: count))
    }

    mutating func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

    mutating func append(_ added: [UInt8]) { bytes += added }

    /// Moves at most `count` bytes to `memory`; gives how many.
    mutating func take(_ memory: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        let taken = min(count, self.count)
        bytes.withUnsafeBufferPointer { all in
            guard taken > 0, let base = all.baseAddress else { return }
            memcpy(memory, base + start, taken)
        }
        start += taken
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        } else if start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
        return taken
    }
}
