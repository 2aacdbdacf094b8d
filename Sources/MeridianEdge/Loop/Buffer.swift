// Buffer: bytes on their way through a connection, and the pool that lends their memory.
internal import Glibc

/// A stretch of lent memory: `start..<end` is filled.
///
/// Without memory it is empty.
struct Buffer {
    /// One read of a large body, and twice the largest head with what the edge adds.
    static let capacity = 64 * 1024

    private(set) var base: Bytes?
    var start: Int32 = 0
    var end: Int32 = 0

    var count: Int { Int(end - start) }
    var room: Int { base == nil ? 0 : Self.capacity - Int(end) }

    /// The memory; a caller has made sure that it is lent, and the trap says where one did not.
    var memory: Bytes {
        guard let base else { preconditionFailure("a buffer is used before it is lent") }
        return base
    }

    /// The first filled byte.
    var filled: Bytes { memory + Int(start) }
    /// The first free byte.
    var free: Bytes { memory + Int(end) }

    mutating func lend(_ memory: Bytes) {
        base = memory
        start = 0
        end = 0
    }

    mutating func takeBack() -> Bytes? {
        defer {
            base = nil
            start = 0
            end = 0
        }
        return base
    }

    /// Drops bytes from the front; an empty buffer starts anew unless `keeping` its bytes for a second sending.
    mutating func drop(_ count: Int, keeping: Bool = false) {
        start += Int32(count)
        if start == end, !keeping {
            start = 0
            end = 0
        }
    }

    /// Moves the filled bytes to the front, so that the room is behind them.
    mutating func compact() {
        guard start > 0 else { return }
        memmove(memory, filled, count)
        end -= start
        start = 0
    }

    /// Appends bytes that fit.
    mutating func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        precondition(count <= room, "bytes do not fit into a buffer")
        memcpy(free, bytes, count)
        end += Int32(count)
    }
}

/// Buffers of one loop, last returned first lent, so that the hot ones stay in the processor's cache.
///
/// A free buffer's first word points to the next free one: the memory is not otherwise used while it is free.
struct BufferPool {
    /// Kept for the next burst; beyond, memory goes back to the system.
    static let freeMax = 256

    private var first: Bytes?
    private var freeCount = 0
    private var lentCount = 0
    private let lentMax: Int

    /// A pool that is exhausted once it has lent `lentMax` buffers: what is under way still gets its memory.
    init(lentMax: Int) { self.lentMax = lentMax }

    /// Whether nothing new should begin.
    var isExhausted: Bool { lentCount > lentMax }

    /// Lends memory to `buffer` unless it has some.
    mutating func lend(to buffer: inout Buffer) {
        guard buffer.base == nil else { return }
        lentCount += 1
        guard let memory = first else {
            buffer.lend(.allocate(capacity: Buffer.capacity))
            return
        }
        first = UnsafeRawPointer(memory).load(as: Bytes?.self)
        freeCount -= 1
        buffer.lend(memory)
    }

    /// Takes the memory of `buffer` back, with whatever it holds.
    mutating func takeBack(_ buffer: inout Buffer) {
        guard let memory = buffer.takeBack() else { return }
        lentCount -= 1
        guard freeCount < Self.freeMax else {
            memory.deallocate()
            return
        }
        UnsafeMutableRawPointer(memory).storeBytes(of: first, as: Bytes?.self)
        first = memory
        freeCount += 1
    }

    /// Frees what is not lent; the pool must not be used afterwards.
    mutating func deallocate() {
        while let memory = first {
            first = UnsafeRawPointer(memory).load(as: Bytes?.self)
            memory.deallocate()
        }
    }
}
