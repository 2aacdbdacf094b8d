// LogFeed: hands lines to those who follow, as they come.
internal import Synchronization

/// The followers of the logs of one node.
final class LogFeed: Sendable {
    private struct Follower {
        let wants: @Sendable (String) -> Bool
        let continuation: AsyncStream<LogLine>.Continuation
    }

    /// Lines that a follower may be behind before the oldest are dropped: a screenful many times over.
    static let followerLinesMax = 4096

    private let followers = Mutex<(next: Int, byNumber: [Int: Follower])>((0, [:]))

    /// The lines of revisions that `wants` accepts (`namespace/name`), from now on, until the reader stops.
    func follow(_ wants: @escaping @Sendable (String) -> Bool) -> AsyncStream<LogLine> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: LogLine.self,
            bufferingPolicy: .bufferingNewest(Self.followerLinesMax)
        )
        let number = followers.withLock { followers in
            followers.next += 1
            followers.byNumber[followers.next] = Follower(wants: wants, continuation: continuation)
            return followers.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.followers.withLock { _ = $0.byNumber.removeValue(forKey: number) }
        }
        return stream
    }

    func publish(_ lines: [LogLine], revision: String) {
        guard !lines.isEmpty else { return }
        let interested = followers.withLock { $0.byNumber.values.filter { $0.wants(revision) } }
        for follower in interested {
            for line in lines { follower.continuation.yield(line) }
        }
    }
}
