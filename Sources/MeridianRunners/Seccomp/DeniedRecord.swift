// DeniedRecord: the denied syscalls that the node's runners made, by revision.
internal import Synchronization

/// What was denied to the runners of each revision since the node started.
///
/// It says that something happened, not how often: it only grows, until a revision is forgotten.
final class DeniedRecord: Sendable {
    /// A node serves some thousand revisions; each entry has a few names.
    private static let revisionsMax = 4096

    private let names = Mutex<[String: Set<String>]>([:])
    /// Something was added; several additions that nobody has heard yet are one.
    let changes: AsyncStream<Void>
    private let changing: AsyncStream<Void>.Continuation

    init() { (changes, changing) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    /// The names by revision (`namespace/name`), sorted.
    var all: [String: [String]] { names.withLock { $0.mapValues { $0.sorted() } } }

    /// Adds a call that a runner of the revision made; beyond the most revisions nothing is added.
    func note(_ syscall: String, revision: String) {
        let isNew = names.withLock { names in
            guard names[revision] != nil || names.count < Self.revisionsMax else { return false }
            return names[revision, default: []].insert(syscall).inserted
        }
        if isNew { changing.yield() }
    }

    /// Drops all revisions but these: a later one of the same name starts with nothing.
    func forget(except revisions: Set<String>) {
        names.withLock { names in names = names.filter { revisions.contains($0.key) } }
    }

    /// Ends `changes`.
    func finish() { changing.finish() }
}
