// TableTargets: the targets of a route table's slots, made by the publisher, so that a loop swaps one pointer.

/// Which target each slot of one table leads to.
///
/// `@unchecked Sendable`: the indices are written before any loop gets them and never after.
final class TableTargets: @unchecked Sendable {
    /// One per slot.
    let records: [TargetRecord]
    /// The records' indices, for the hot path; valid while this object lives.
    let indices: UnsafeMutablePointer<Int32>
    /// No index is as large.
    let indexEnd: Int

    init(_ records: [TargetRecord]) {
        self.records = records
        indices = .allocate(capacity: max(1, records.count))
        for (slot, record) in records.enumerated() { (indices + slot).initialize(to: record.index) }
        indexEnd = records.reduce(0) { max($0, Int($1.index) + 1) }
    }

    deinit { indices.deallocate() }
}
