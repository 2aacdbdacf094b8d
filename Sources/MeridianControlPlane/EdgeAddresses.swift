// EdgeAddresses: where the node's edge listens, over its restarts.
import Synchronization

/// The addresses that the edge is started with: those that were asked for and, once it has bound, those that it got.
///
/// A node that is started again thus answers where its clients know it, although any free port was asked for.
final class EdgeAddresses: Sendable {
    private let addresses: Mutex<[String]>

    init(_ asked: [String]) { addresses = Mutex(asked) }

    /// What the next node is started with.
    var current: [String] { addresses.withLock { $0 } }

    /// Notes what a node has bound.
    func bind(_ bound: [String]) { addresses.withLock { $0 = bound } }
}
