// ObjectWatch: the changes of a kind's objects as they happen, one JSON line each.
internal import MeridianModel
internal import MeridianPorts
internal import ServiceLifecycle

/// One client's watch.
struct ObjectWatch: Sendable {
    /// How long a watch lasts where the client names no time: it then lists and watches again, so that a connection
    /// nobody reads from any more is not kept for ever.
    static let secondsDefault: Int64 = 1800
    static let secondsMax: Int64 = 86_400

    private let objects: ObjectAPI
    private let kind: Kind
    private let filter: ObjectFilter
    /// The revision after which changes are wanted; nil: every object first, then the changes.
    private let after: Int64?
    private let seconds: Int64
    private let marksInitialEnd: Bool
    private let sendsBookmarks: Bool

    init(_ objects: ObjectAPI, _ kind: Kind, _ filter: ObjectFilter, _ parameters: QueryParameters) throws(APIFailure) {
        self.objects = objects
        self.kind = kind
        self.filter = filter
        marksInitialEnd = try parameters.flag("sendInitialEvents")
        sendsBookmarks = try parameters.flag("allowWatchBookmarks") || marksInitialEnd
        seconds = try parameters.number("timeoutSeconds", in: 0...Self.secondsMax) ?? Self.secondsDefault
        let version = try parameters.number("resourceVersion", in: 0...Int64.max) ?? 0
        after = version == 0 || marksInitialEnd ? nil : version
    }

    /// Writes events until the time is up, the client has gone or the server stops.
    func run(_ writer: StreamWriter) async throws {
        let deadline = objects.clock.now + .seconds(seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await send(to: writer) }
            group.addTask { try await objects.clock.sleep(until: deadline) }
            group.addTask { try await gracefulShutdown() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func send(to writer: StreamWriter) async throws {
        do {
            let revision = try await sendInitial(to: writer)
            for try await event in objects.store.watch(after: revision, kinds: [kind.name]) {
                guard let line = line(for: event) else { continue }
                try await writer.write(line: line)
            }
        } catch let error as StoreError {
            try await writer.write(line: Self.line("ERROR", APIFailure(error).object))
        } catch let error as APIFailure {
            try await writer.write(line: Self.line("ERROR", error.object))
        }
    }

    /// Sends what comes before the changes; the answer is the revision that they follow.
    private func sendInitial(to writer: StreamWriter) async throws -> Int64 {
        if let after {
            let now = try await objects.store.list(kind: kind.name, namespace: nil, after: nil, limit: 1).revision
            guard after <= now else {
                throw APIFailure.expired("too large resource version: \(after), current: \(now); list again")
            }
            return after
        }
        let snapshot = try await objects.snapshot(kind)
        for record in snapshot.records where filter.matches(record.key, record.value) {
            try await writer.write(line: Self.line("ADDED", objects.served(record)))
        }
        if sendsBookmarks { try await writer.write(line: bookmark(at: snapshot.revision)) }
        return snapshot.revision
    }

    /// The line of a change; nil where the watch is not concerned.
    ///
    /// An object that begins or ceases to match the selectors is added or deleted in the eyes of this watch.
    private func line(for event: StoreEvent) -> [UInt8]? {
        let now = event.record.flatMap { filter.matches(event.key, $0.value) ? $0 : nil }
        let before = event.previous.flatMap { filter.matches(event.key, $0.value) ? $0 : nil }
        switch (before, now) {
        case (nil, nil): return nil
        case (nil, let now?): return Self.line("ADDED", objects.served(now))
        case (_?, let now?): return Self.line("MODIFIED", objects.served(now))
        case (let before?, nil):
            let last = event.record?.value ?? before.value
            return Self.line("DELETED", objects.served(last, revision: event.revision))
        }
    }

    private func bookmark(at revision: Int64) -> [UInt8] {
        var metadata = JSONObject()
        metadata["resourceVersion"] = .string(String(revision))
        if marksInitialEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        let object: JSONValue = [
            "kind": .string(kind.name), "apiVersion": .string(apiVersionText), "metadata": .object(metadata),
        ]
        return Self.line("BOOKMARK", object)
    }

    private static func line(_ type: String, _ object: JSONValue) -> [UInt8] {
        let event: JSONValue = ["type": .string(type), "object": object]
        return event.utf8()
    }
}
