// StoreWatcher: one watch: first the history, page by page, then the live feed, without gap or duplicate.
internal import MeridianPorts
internal import Synchronization

/// Where a watcher reads what happened before it came.
protocol StoreHistory: Sendable {
    /// The events of some revisions after `after`, whole revisions only, oldest first.
    ///
    /// - Throws: `.compacted` where they are gone or `after` is ahead of the store; `.unavailable`.
    func history(after: Int64, kinds: Set<String>?) async throws(StoreError) -> HistoryPage
}

/// A piece of history.
struct HistoryPage: Sendable {
    let events: [StoreEvent]
    /// The page tells everything up to and including this revision.
    let through: Int64
}

/// The state of one watch; used by one reader at a time.
final class StoreWatcher: Sendable {
    private enum Position {
        /// Everything through `after` was delivered; the store has not been asked yet whether that revision is known.
        case start(after: Int64)
        /// In the middle of a page.
        case page(HistoryPage, next: Int)
        /// Everything through `after` was delivered.
        case between(after: Int64)
        /// At this place in the feed; its events through `after` were delivered before.
        case live(place: Int, after: Int64)
    }

    private let source: any StoreHistory
    private let feed: WatchFeed
    private let kinds: Set<String>?
    private let position: Mutex<Position>

    init(source: any StoreHistory, feed: WatchFeed, after: Int64, kinds: Set<String>?) {
        self.source = source
        self.feed = feed
        self.kinds = kinds
        position = Mutex(.start(after: after))
    }

    /// The stream of this watcher's events; it ends where its task is cancelled or the store closed.
    var stream: AsyncThrowingStream<StoreEvent, any Error> {
        AsyncThrowingStream { try await self.next() }
    }

    private func next() async throws(StoreError) -> StoreEvent? {
        while !Task.isCancelled {
            let now = position.withLock { $0 }
            switch now {
            case .start(let after):
                move(to: .page(try await source.history(after: after, kinds: kinds), next: 0))
            case .page(let page, let next) where next < page.events.count:
                move(to: .page(page, next: next + 1))
                return page.events[next]
            case .page(let page, _):
                move(to: .between(after: page.through))
            case .between(let after):
                if let place = feed.join(after: after) {
                    move(to: .live(place: place, after: after))
                } else {
                    move(to: .page(try await source.history(after: after, kinds: kinds), next: 0))
                }
            case .live(let place, let after):
                switch await feed.next(from: place, kinds: kinds) {
                case .ended: return nil
                case .overflow: throw .overflow
                case .event(let event, let next):
                    move(to: .live(place: next, after: after))
                    // History may have been read between a commit and its publication.
                    if event.revision > after { return event }
                }
            }
        }
        return nil
    }

    private func move(to next: Position) { position.withLock { $0 = next } }
}

extension StoreError {
    fileprivate static var overflow: StoreError {
        StoreError(
            .watchOverflow,
            "the reader is more than \(storeWatchBufferMax) events behind."
                + " Take a snapshot and watch after its revision"
        )
    }
}
