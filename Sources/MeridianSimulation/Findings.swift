// Findings: what the oracles of one run saw.
import Synchronization

/// Collects what must not be; equal findings are kept once.
final class Findings: Sendable {
    /// A run with this many different findings is broken enough.
    private static let kept = 20

    private let found = Mutex<[String]>([])

    /// What was found, in order.
    var all: [String] { found.withLock { $0 } }

    func add(_ words: String) {
        found.withLock { found in
            guard found.count < Self.kept, !found.contains(words) else { return }
            found.append(words)
        }
    }
}
