// ReportFeed: tells those who follow a node's reports that there is a new one.
internal import ServiceLifecycle
internal import Synchronization

/// Rings every follower when the report may have changed; rings that nobody has heard yet are one.
package final class ReportFeed: Service {
    /// A peer that is gone without a word is noticed after so long, since it does not take the line.
    private static let heartbeat = Duration.seconds(10)

    private struct State {
        var followers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextFollower = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Tells every follower; never blocks.
    package func changed() {
        for follower in state.withLock({ Array($0.followers.values) }) { follower.yield() }
    }

    /// Rings every heartbeat, until graceful shutdown.
    package func run() async {
        await cancelWhenGracefulShutdown {
            // The wait that is cancelled by the shutdown ends the loop.
            while (try? await Task.sleep(for: Self.heartbeat)) != nil { self.changed() }
        }
    }

    /// Rings at once and after every change, until the iteration ends.
    package func rings() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextFollower += 1
            state.followers[state.nextFollower] = continuation
            return state.nextFollower
        }
        continuation.onTermination = { _ in self.state.withLock { $0.followers[id] = nil } }
        continuation.yield()
        return stream
    }
}
