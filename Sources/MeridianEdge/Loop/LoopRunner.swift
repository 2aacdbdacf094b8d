// LoopRunner: one loop's part of a runner: its address and the connections kept to it.
internal import CLinux

/// A runner as one loop sees it.
struct LoopRunner {
    let counters: RunnerCounters
    var address: clinux_address
    /// The network namespace in which the socket is made; -1 for the edge's own.
    let networkNamespace: Int32
    /// The loop's count of runner changes when this one came.
    let addedAt: UInt32
    /// Requests that waited for it found a paused program, not a new one.
    let isResumed: Bool
    var firstIdle: Int32 = -1
    var idleCount = 0
    /// Connections and requests of this loop that refer to the slot.
    var users = 0
    /// Gets no new request; the slot is freed with its last user.
    var isRemoved = false

    init(_ record: RunnerRecord, addedAt: UInt32) {
        counters = record.counters
        address = record.address
        networkNamespace = record.endpoint.networkNamespace
        isResumed = record.endpoint.isResumed
        self.addedAt = addedAt
    }
}
