// ObjectWatch: the changes of a resource's objects as they happen, one JSON line each.
internal import MeridianModel
internal import MeridianPorts
internal import NIOCore
internal import ServiceLifecycle

/// One client's watch.
struct ObjectWatch: Sendable {
    /// How long a watch lasts where the client names no time: it then lists and watches again, so that a connection
    /// nobody reads from any more is not kept for ever.
    static let secondsDefault: Int64 = 1800
    static let secondsMax: Int64 = 86_400
    /// How often a quiet watch is told how far it is, as Kubernetes does about once a minute.
    static let bookmarkInterval = Duration.seconds(60)

    private let objects: ObjectAPI
    private let desk: WatchDesk
    private let representation: Representation
    private let filter: ObjectFilter
    /// The revision after which changes are wanted; nil: every object first, then the changes.
    private let after: Int64?
    private let seconds: Int64
    private let marksInitialEnd: Bool
    private let sendsBookmarks: Bool

    init(
        _ objects: ObjectAPI,
        _ desk: WatchDesk,
        _ representation: Representation,
        _ filter: ObjectFilter,
        _ parameters: QueryParameters
    ) throws(APIFailure) {
        self.objects = objects
        self.desk = desk
        self.representation = representation
        self.filter = filter
        marksInitialEnd = try parameters.flag("sendInitialEvents")
        sendsBookmarks = try parameters.flag("allowWatchBookmarks") || marksInitialEnd
        seconds = try parameters.number("timeoutSeconds", in: 0...Self.secondsMax) ?? Self.secondsDefault
        let version = try parameters.number("resourceVersion", in: 0...Int64.max) ?? 0
        after = version == 0 || marksInitialEnd ? nil : version
    }

    private var kinds: Set<String> { [representation.resource.stored] }

    /// Writes events until the time is up, the client has gone or the server stops.
    func run(_ writer: StreamWriter) async throws {
        let output = WatchOutput(writer)
        let deadline = objects.clock.now + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await send(to: output) }
            group.addTask { try await waitAndMark(until: deadline, output) }
            group.addTask { try await gracefulShutdown() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func send(to output: WatchOutput) async throws {
        do {
            let revision = try await sendInitial(to: output)
            var isFirst = after != nil
            for try await event in objects.store.watch(after: revision, kinds: kinds) {
                guard let line = line(for: event, isFirst: isFirst) else {
                    output.pass(event.revision)
                    continue
                }
                isFirst = false
                try await output.write(line, revision: event.revision)
            }
        } catch let error as StoreError {
            try await output.write(Self.line("ERROR", APIFailure(error).object))
        } catch let error as APIFailure {
            try await output.write(Self.line("ERROR", error.object))
        }
    }

    /// Sends what comes before the changes; the answer is the revision that they follow.
    private func sendInitial(to output: WatchOutput) async throws -> Int64 {
        if let after {
            let stored = representation.resource.stored
            let now = try await objects.store.list(kind: stored, namespace: nil, after: nil, limit: 1).revision
            guard after <= now else {
                throw APIFailure.expired("too large resource version: \(after), current: \(now); list again")
            }
            output.start(at: after)
            return after
        }
        let snapshot = try await objects.store.snapshot(kinds: kinds)
        var isFirst = true
        for record in snapshot.records where filter.matches(record.key, record.value) {
            let object = representation.eventObject(objects.served(record), isFirst: isFirst)
            try await output.write(Self.line("ADDED", object))
            isFirst = false
        }
        if sendsBookmarks { try await output.write(bookmark(at: snapshot.revision, isInitialEnd: marksInitialEnd)) }
        output.start(at: snapshot.revision)
        return snapshot.revision
    }

    /// Tells a quiet watch from time to time, and at its end, how far it is.
    private func waitAndMark(until deadline: Timestamp, _ output: WatchOutput) async throws {
        // Each turn waits for an interval, so the loop ends at the deadline.
        while objects.clock.now < deadline {
            try await objects.clock.sleep(until: min(deadline, objects.clock.now + Self.bookmarkInterval))
            guard sendsBookmarks else { continue }
            let stored = representation.resource.stored
            try await output.mark { place in
                desk.revision(passedBy: place, kind: stored).map { (bookmark(at: $0, isInitialEnd: false), $0) }
            }
        }
    }

    /// The line of a change; nil where the watch is not concerned.
    ///
    /// An object that begins or ceases to match the selectors is added or deleted in the eyes of this watch.
    private func line(for event: StoreEvent, isFirst: Bool) -> ByteBuffer? {
        let now = event.record.flatMap { filter.matches(event.key, $0.value) ? $0 : nil }
        let before = event.previous.flatMap { filter.matches(event.key, $0.value) ? $0 : nil }
        switch (before, now) {
        case (nil, nil): return nil
        case (nil, let now?): return line("ADDED", event, now.value, isFirst)
        case (_?, let now?): return line("MODIFIED", event, now.value, isFirst)
        case (let before?, nil): return line("DELETED", event, event.record?.value ?? before.value, isFirst)
        }
    }

    private func line(_ type: String, _ event: StoreEvent, _ value: JSONValue, _ isFirst: Bool) -> ByteBuffer {
        func encoded() -> ByteBuffer {
            let served = objects.served(value, revision: event.revision)
            return Self.line(type, representation.eventObject(served, isFirst: isFirst))
        }
        // Only the first event of a table has the columns.
        if isFirst, case .table = representation.form { return encoded() }
        let id = WatchDesk.LineID(
            revision: event.revision,
            key: event.key,
            type: type,
            group: representation.resource.kind.group,
            form: representation.form
        )
        return desk.line(id, encode: encoded)
    }

    private func bookmark(at revision: Int64, isInitialEnd: Bool) -> ByteBuffer {
        var metadata = JSONObject()
        metadata["resourceVersion"] = .string(String(revision))
        metadata["creationTimestamp"] = .null
        if isInitialEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        return Self.line("BOOKMARK", representation.bookmark(metadata))
    }

    private static func line(_ type: String, _ object: JSONValue) -> ByteBuffer {
        let event: JSONValue = ["type": .string(type), "object": object]
        var buffer = ByteBuffer(bytes: event.utf8())
        buffer.writeInteger(UInt8(ascii: "\n"))
        return buffer
    }
}
