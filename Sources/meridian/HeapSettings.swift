// HeapSettings: how the C library keeps the memory that this process gave back.
import CLinux

/// Settings that keep the heap close to what is in use; made once, before there are threads.
enum HeapSettings {
    /// One arena: by default there are eight for each core, and what is free in one is of no use to the others.
    ///
    /// Each thread's cache of small blocks stays, so that threads seldom meet at the lock.
    private static let arenasMax: Int32 = 1
    /// A megabyte: larger blocks (answers to lists, packed sources) go back to the kernel when they are freed.
    private static let mappedBytesMin: Int32 = 1 << 20
    /// Two megabytes free at the heap's end go back to the kernel; fewer are about to be used again.
    private static let trimmedBytesMin: Int32 = 2 << 20

    static func apply() {
        // A refusal costs memory and nothing else.
        _ = clinux_heap_settings(arenasMax, mappedBytesMin, trimmedBytesMin)
    }
}
