// WatchDesk: what all watches share: lines that were encoded for one of them, and how far each kind's history goes.
internal import Logging
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore
internal import Synchronization

/// Encodes each event once for all watches that want it in the same form, and knows which revisions a watch has passed.
final class WatchDesk: Sendable {
    /// What makes two lines the same.
    struct LineID: Hashable {
        let revision: Int64
        let key: ObjectKey
        let type: String
        let group: String
        let form: AnswerForm
    }

    /// Lines that are kept: watches that are less far behind than this find them encoded.
    static let linesMax = 4096
    /// Bytes of the lines that are kept, so that large objects do not fill the memory.
    static let bytesMax = 32 << 20

    fileprivate struct State {
        var lines: [LineID: ByteBuffer] = [:]
        /// The ids of `lines` in the order of their coming; those before `first` are gone.
        var order: [LineID] = []
        var first = 0
        var bytes = 0
        /// The place of the last event of each kind.
        var lastOfKind: [String: WatchPlace] = [:]
        /// For kinds without an entry there: everything through it is unknown.
        var floor = WatchPlace.after(.max - 1)
        /// Every event through it was seen.
        var complete: Int64 = -1
    }

    private let store: any StorePort
    private let clock: any ClockPort
    private let logger: Logger
    private let state = Mutex(State())

    init(store: any StorePort, clock: any ClockPort, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    /// The line of an id, encoded by the first that asks for it while the others wait.
    func line(_ id: LineID, encode: () -> ByteBuffer) -> ByteBuffer {
        state.withLock { state in
            if let line = state.lines[id] { return line }
            let line = encode()
            state.keep(line, id)
            return line
        }
    }

    /// The newest revision that a watch at `place` has seen everything of its kind through; nil where none is newer than
    /// its place, or it is behind.
    func revision(passedBy place: WatchPlace, kind: String) -> Int64? {
        state.withLock { state in
            guard state.complete > place.revision, (state.lastOfKind[kind] ?? state.floor) <= place else { return nil }
            return state.complete
        }
    }

    /// Follows the store until the task ends.
    func run() async {
        // Each turn follows the store until it falls behind, or waits before it tries again.
        while !Task.isCancelled {
            do {
                let page = try await store.list(kind: NamespaceSpec.kind, namespace: nil, after: nil, limit: 1)
                state.withLock { $0.restart(at: page.revision) }
                for try await event in store.watch(after: page.revision, kinds: nil) {
                    state.withLock { $0.see(event) }
                }
            } catch {
                // Until it follows again watches get no bookmarks, and nothing else depends on it.
                logger.warning("the watch desk fell behind", metadata: ["error": "\(error)"])
            }
            do { try await clock.sleep(until: clock.now + Self.retryInterval) } catch { return }
        }
    }

    private static let retryInterval = Duration.seconds(1)
}

extension WatchDesk.State {
    fileprivate mutating func keep(_ line: ByteBuffer, _ id: WatchDesk.LineID) {
        lines[id] = line
        order.append(id)
        bytes += line.readableBytes
        // Ends when nothing is kept, if not before.
        while lines.count > WatchDesk.linesMax || bytes > WatchDesk.bytesMax, first < order.count {
            bytes -= lines.removeValue(forKey: order[first])?.readableBytes ?? 0
            first += 1
        }
        if first > WatchDesk.linesMax {
            order.removeFirst(first)
            first = 0
        }
    }

    fileprivate mutating func restart(at revision: Int64) {
        lastOfKind = [:]
        floor = .after(revision)
        complete = revision
    }

    fileprivate mutating func see(_ event: StoreEvent) {
        let last = lastOfKind[event.key.kind] ?? floor
        lastOfKind[event.key.kind] = last.passing(event.revision)
        // More events of the same revision may follow.
        complete = max(complete, event.revision - 1)
    }
}
