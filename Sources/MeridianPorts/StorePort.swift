// StorePort: the transactional, watchable store that desired and observed state live in.
package import MeridianModel

/// Durable objects with one revision per writing transaction.
///
/// Every implementation passes the store conformance suite. Revisions are positive, rise by one per commit that
/// writes, and order all changes. Objects are JSON documents; the store does not look inside.
package protocol StorePort: Sendable {
    /// A transactionally consistent view of every object whose kind is in `kinds` (all kinds where nil).
    func snapshot(kinds: Set<String>?) async throws(StoreError) -> StoreSnapshot

    /// One object as it is now; nil where there is none.
    func get(_ key: ObjectKey) async throws(StoreError) -> StoreRecord?

    /// One page of the objects of a kind, sorted by namespace and name, after the key `after`.
    ///
    /// A later page is read at the store's current revision, not the first page's.
    /// `limit`: at least 1.
    func list(
        kind: String,
        namespace: String?,
        after: ObjectKey?,
        limit: Int
    ) async throws(StoreError) -> StorePage

    /// Applies all operations or none, in order; the answer is the new revision.
    ///
    /// Where every operation leaves things as they are (an equal value, a missing object deleted) nothing is
    /// written and the current revision is returned.
    /// - Throws: `.conflict` naming the first operation whose expectation does not hold.
    @discardableResult
    func commit(_ operations: [StoreOperation]) async throws(StoreError) -> Int64

    /// Commits each of `transactions`, in order, as `commit` does; one that is refused does not hold up those after it.
    ///
    /// A store may bring them to the disk together, which takes as long as bringing one.
    func commitEach(_ transactions: [[StoreOperation]]) async -> [Result<Int64, StoreError>]

    /// Every change after revision `after`, in commit order, without gap or duplicate, of the given kinds (all where nil).
    ///
    /// The stream throws `.compacted` where history is gone, and `.watchOverflow` where the reader is
    /// more than `storeWatchBufferMax` events behind; in both cases the reader takes a new snapshot.
    func watch(after: Int64, kinds: Set<String>?) -> AsyncThrowingStream<StoreEvent, any Error>

    /// Forgets the history at and before `revision`; live objects stay.
    func compact(through revision: Int64) async throws(StoreError)

    /// Creates a lease that ends unless it is renewed within `timeToLive`; objects attached to it are then deleted.
    func grantLease(timeToLive: Duration) async throws(StoreError) -> LeaseID

    /// Renews a lease; throws `.leaseNotFound` where it has ended.
    func renewLease(_ lease: LeaseID) async throws(StoreError)

    /// Ends a lease now and deletes the objects attached to it.
    func revokeLease(_ lease: LeaseID) async throws(StoreError)

    /// Deletes the objects of leases that ended by `now`; called by the owner's clock so that tests use virtual time.
    func expireLeases() async throws(StoreError)
}

extension StorePort {
    /// One commit after the other.
    package func commitEach(_ transactions: [[StoreOperation]]) async -> [Result<Int64, StoreError>] {
        var answers: [Result<Int64, StoreError>] = []
        for transaction in transactions {
            do throws(StoreError) {
                answers.append(.success(try await commit(transaction)))
            } catch {
                answers.append(.failure(error))
            }
        }
        return answers
    }
}

/// Events that a watcher may be behind before it is told to start over: enough for a burst of one apply of a thousand
/// objects; each holds a version of an object that nothing else may hold any more, so that more would cost megabytes.
package let storeWatchBufferMax = 4_096

/// All objects of some kinds at one revision.
package struct StoreSnapshot: Sendable {
    /// The store's revision when the view was taken; watch after it to miss nothing.
    package let revision: Int64
    /// Sorted by key.
    package let records: [StoreRecord]

    package init(revision: Int64, records: [StoreRecord]) {
        self.revision = revision
        self.records = records
    }
}

/// One page of a list.
package struct StorePage: Sendable {
    /// The store's revision when the page was read.
    package let revision: Int64
    package let records: [StoreRecord]
    /// Objects of the list that come after this page.
    package let remaining: Int

    package init(revision: Int64, records: [StoreRecord], remaining: Int) {
        self.revision = revision
        self.records = records
        self.remaining = remaining
    }
}

/// One object as stored.
package struct StoreRecord: Sendable, Equatable {
    package let key: ObjectKey
    package let value: JSONValue
    /// The revision that created the object.
    package let createRevision: Int64
    /// The revision that last wrote it: the `resourceVersion` on the wire.
    package let modRevision: Int64

    package init(key: ObjectKey, value: JSONValue, createRevision: Int64, modRevision: Int64) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
    }
}

/// One write, with what it expects to find.
package enum StoreOperation: Sendable {
    /// Creates or replaces an object; with a lease it is deleted when the lease ends.
    case put(ObjectKey, JSONValue, StoreExpectation, lease: LeaseID? = nil)
    /// Deletes an object.
    case delete(ObjectKey, StoreExpectation)
    /// Writes nothing, but fails the transaction where the expectation does not hold.
    case check(ObjectKey, StoreExpectation)
}

/// What must be true of an object for an operation on it to go ahead.
package enum StoreExpectation: Sendable, Equatable {
    /// Nothing.
    case any
    /// There is no such object.
    case absent
    /// The object exists and was last written by this revision.
    case modRevision(Int64)
}

/// One change of one object.
package struct StoreEvent: Sendable, Equatable {
    /// The revision of the transaction.
    package let revision: Int64
    /// The object after the change; nil: it was deleted.
    package let record: StoreRecord?
    /// The object before the change; nil: it is new.
    package let previous: StoreRecord?
    package let key: ObjectKey

    package init(revision: Int64, key: ObjectKey, record: StoreRecord?, previous: StoreRecord?) {
        self.revision = revision
        self.key = key
        self.record = record
        self.previous = previous
    }
}

/// Names a lease.
package struct LeaseID: Hashable, Sendable {
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// Why the store did not do what was asked.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// An expectation did not hold; read again and retry.
        case conflict
        /// The history asked for is gone; take a snapshot.
        case compacted
        /// The reader fell too far behind; take a snapshot.
        case watchOverflow
        case leaseNotFound
        /// The transaction or one of its objects is larger than the store's bounds; the message names the bound.
        case refused
        /// Disk full, I/O error, corrupted file: the store's state is unchanged.
        case unavailable
    }

    package let code: Code
    package let message: String
    /// The object at fault, for `.conflict`.
    package let key: ObjectKey?

    package init(_ code: Code, _ message: String, key: ObjectKey? = nil) {
        self.code = code
        self.message = message
        self.key = key
    }

    package var description: String { "store: \(code.rawValue): \(message)" }
}
