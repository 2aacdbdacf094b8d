// LoopTarget: one loop's part of a target: which runners it knows and which clients wait.

/// A revision or address as one loop sees it; a plain struct, since it is read on every request.
struct LoopTarget {
    let counters: TargetCounters
    /// What `x-meridian-revision` says, owned by this struct's owner; empty for an address.
    let name: UnsafeMutableBufferPointer<UInt8>
    /// What `x-meridian-region` says, owned by this struct's owner; empty: the edge's own region.
    private(set) var region = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
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

    /// Takes the region of the table in force; the old bytes are freed, which nothing keeps across a table's swap.
    mutating func setRegion(_ text: String) {
        guard !text.utf8.elementsEqual(region) else { return }
        region.deallocate()
        region = .allocate(capacity: text.utf8.count)
        _ = region.initialize(from: text.utf8)
    }

    func deallocate() {
        name.deallocate()
        region.deallocate()
        runners.deallocate()
    }
}
