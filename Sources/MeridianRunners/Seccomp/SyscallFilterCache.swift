// SyscallFilterCache: compiled filters, kept, because compiling costs as much as a third of a cold start.
internal import Synchronization

/// Filters by what they were compiled from.
package final class SyscallFilterCache: Sendable {
    private struct Key: Hashable {
        let names: [String]
        let denial: SyscallFilter.Denial
    }

    /// Distinct allowlists on one node; each filter has about 6 KiB.
    private static let filtersMax = 256

    private let filters = Mutex<[Key: SyscallFilter]>([:])

    package init() {}

    /// The filter of an allowlist, compiled at the first request.
    package func filter(
        _ names: [String],
        denial: SyscallFilter.Denial
    ) throws(SyscallFilterError) -> SyscallFilter {
        let key = Key(names: names, denial: denial)
        if let filter = filters.withLock({ $0[key] }) { return filter }
        let filter = try SyscallFilter.compile(names, denial: denial)
        filters.withLock { filters in
            if filters.count >= Self.filtersMax { filters.removeAll() }
            filters[key] = filter
        }
        return filter
    }
}
