// StoreBounds: how large the things in a store may be.
internal import MeridianModel
internal import MeridianPorts

/// The bounds that every store keeps.
package enum StoreBounds {
    /// The request limit of etcd, so that what is stored here can move there.
    package static let valueBytesMax = 1_536 << 10
    /// One apply of a large repository; more holds the single writer for too long.
    package static let operationsMax = 10_000
    /// Revisions of history that automatic compaction leaves: a watcher that was away for minutes can resume.
    package static let historyRevisionsKept: Int64 = 10_000
    /// Compaction waits for this many revisions more, so that its cost is spread.
    static let historyRevisionsSlack: Int64 = 1_000
    /// Events of history that are read at once; whole revisions, so a page may be longer.
    static let historyPageEvents = 512
    /// Writes that wait for the writer; each is a suspended task, and more means that the disk has stopped.
    static let pendingWritesMax = 16_384

    /// - Throws: `.refused`, naming the bound.
    static func check(_ operations: [StoreOperation]) throws(StoreError) {
        guard operations.count <= operationsMax else {
            throw StoreError(
                .refused,
                "a transaction of \(operations.count) operations; at most \(operationsMax). Split it"
            )
        }
        for case .put(let key, let value, _, _) in operations {
            let count = value.utf8().count
            guard count <= valueBytesMax else {
                throw StoreError(
                    .refused,
                    "\(key) has \(count) bytes as JSON; at most \(valueBytesMax). Make it smaller",
                    key: key
                )
            }
        }
    }
}
