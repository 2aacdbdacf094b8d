// WriteQueue: writes that wait for the one writer, so that many share one commit to the disk.
internal import MeridianPorts
internal import Synchronization

/// A write to the embedded store.
enum WriteRequest: Sendable {
    case commit([StoreOperation])
    case compact(through: Int64)
    case grantLease(timeToLive: Duration)
    case endLeases([LeaseID])
}

/// The number that a write answers with: the store's revision, or the new lease's.
typealias WriteAnswer = Result<Int64, StoreError>

/// A write and who waits for its answer.
struct PendingWrite: Sendable {
    let request: WriteRequest
    /// Called once.
    let answer: @Sendable (WriteAnswer) -> Void
}

/// The answers to several writes, which come one by one.
final class WriteAnswers: Sendable {
    private let state: Mutex<(answers: [WriteAnswer?], missing: Int)>
    private let finish: @Sendable ([WriteAnswer]) -> Void

    /// `finish` is called once, with `count` answers in the order of the writes.
    init(count: Int, finish: @escaping @Sendable ([WriteAnswer]) -> Void) {
        state = Mutex((Array(repeating: nil, count: count), count))
        self.finish = finish
    }

    func set(_ answer: WriteAnswer, at index: Int) {
        let all = state.withLock { state -> [WriteAnswer]? in
            state.answers[index] = answer
            state.missing -= 1
            return state.missing == 0 ? state.answers.compactMap { $0 } : nil
        }
        if let all { finish(all) }
    }
}

/// Waiting writes in order of arrival, and whether the writer is on its way.
struct WriteQueue: Sendable {
    /// What to do after adding a write.
    enum Action {
        /// The writer is idle: send it.
        case startWriter
        case wait
        /// The queue is full or closed.
        case refuse(StoreError)
    }

    /// One commit to the disk takes as long for this many as for one; more only delays the first.
    private static let batchMax = 256

    private var pending: [PendingWrite] = []
    private var isWriting = false
    private var isClosed = false

    init() {}

    mutating func add(_ write: PendingWrite) -> Action {
        if isClosed { return .refuse(StoreError(.unavailable, "the store is closed")) }
        guard pending.count < StoreBounds.pendingWritesMax else {
            return .refuse(
                StoreError(.unavailable, "\(pending.count) writes wait for the disk already. Try again later")
            )
        }
        pending.append(write)
        if isWriting { return .wait }
        isWriting = true
        return .startWriter
    }

    /// The next writes for one transaction; empty: there are none, and the writer must be started anew for the next.
    mutating func takeBatch() -> [PendingWrite] {
        let batch = Array(pending.prefix(Self.batchMax))
        pending.removeFirst(batch.count)
        isWriting = !batch.isEmpty
        return batch
    }

    mutating func close() { isClosed = true }
}
