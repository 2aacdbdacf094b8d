// LoopTarget: one loop's part of a target: which runners it knows and which clients wait.

/// A revision or address as one loop sees it; a plain struct, since it is read on every request.
struct LoopTarget {
    let counters: TargetCounters
    /// What `x-meridian-revision` says, owned by this struct's owner; empty for an address.
    let name: UnsafeMutableBufferPointer<UInt8>
    /// Indices into the loop's runners; replaced as a whole by `setRunners`.
    var runners = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
    /// In-flight requests per runner, all loops together.
    var concurrencyMax = Int64.max
    var firstParked: Int32 = -1
    var lastParked: Int32 = -1
    var parkedCount = 0
    /// In the list of targets whose waiting requests have to be tried.
    var isPending = false
    var nextPending: Int32 = -1

    init(_ record: TargetRecord) {
        counters = record.counters
        name = .allocate(capacity: record.name.count)
        _ = name.initialize(from: record.name)
    }

    func deallocate() {
        name.deallocate()
        runners.deallocate()
    }
}
