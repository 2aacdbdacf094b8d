// WatchOutput: what one watch has been sent, and the order of those who write to it.
internal import NIOCore
internal import Synchronization

/// The place of a watch in the history of its kind: a revision, and how many of that revision's events it has passed.
struct WatchPlace: Comparable {
    var revision: Int64
    var events: Int

    /// After everything that a revision changed.
    static func after(_ revision: Int64) -> WatchPlace { WatchPlace(revision: revision, events: .max) }

    static func < (left: WatchPlace, right: WatchPlace) -> Bool {
        (left.revision, left.events) < (right.revision, right.events)
    }

    /// One event further, which is of `revision`.
    func passing(_ revision: Int64) -> WatchPlace {
        guard revision == self.revision else { return WatchPlace(revision: revision, events: 1) }
        return WatchPlace(revision: revision, events: events == .max ? .max : events + 1)
    }
}

/// A watch's connection, written by two: the sender of events and the sender of bookmarks.
final class WatchOutput: Sendable {
    private struct State {
        /// nil until the initial objects were sent.
        var place: WatchPlace?
        var isBusy = false
        /// There are two writers, so at most one waits.
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let writer: StreamWriter
    private let state = Mutex(State())

    init(_ writer: StreamWriter) { self.writer = writer }

    /// Everything through `revision` is known to the client.
    func start(at revision: Int64) { state.withLock { $0.place = .after(revision) } }

    /// An event does not concern the client.
    func pass(_ revision: Int64) { state.withLock { $0.place = $0.place?.passing(revision) } }

    func write(_ line: ByteBuffer, revision: Int64? = nil) async throws {
        await enter()
        defer { leave() }
        try await writer.write(line)
        if let revision { pass(revision) }
    }

    /// Writes the line that `make` has for the client's place, if any; the client is then at the line's revision.
    func mark(_ make: (WatchPlace) -> (line: ByteBuffer, revision: Int64)?) async throws {
        await enter()
        defer { leave() }
        guard let place = state.withLock({ $0.place }), let (line, revision) = make(place) else { return }
        try await writer.write(line)
        start(at: revision)
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isBusy else {
                    state.isBusy = true
                    return true
                }
                state.waiter = continuation
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            state.isBusy = waiter != nil
            return waiter
        }
        waiter?.resume()
    }
}
