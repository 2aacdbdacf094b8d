// EventRecorder: turns what happened into Event objects that count repetitions and expire.
import MeridianModel
import MeridianPlanning
import MeridianPorts
import Synchronization

/// Writes Events with the commit that they are about; the same words about the same object count up one Event.
final class EventRecorder: Sendable {
    /// Events are news, not history: an hour is what `describe` should show.
    private static let timeToLive = Duration.seconds(3600)
    /// A lease serves the events of ten minutes, so that an event lives for fifty minutes to an hour.
    private static let leaseUse = Duration.seconds(600)

    private let store: any StorePort
    private let clock: any ClockPort
    private let lease = Mutex<(id: LeaseID, usableUntil: Timestamp)?>(nil)

    init(store: any StorePort, clock: any ClockPort) {
        self.store = store
        self.clock = clock
    }

    /// The operations that record `events` at the current time.
    func operations(for events: [EventDraft]) async throws(StoreError) -> [StoreOperation] {
        guard !events.isEmpty else { return [] }
        let lease = try await currentLease()
        var operations: [StoreOperation] = []
        for draft in Set(events).sorted(by: { ($0.object, $0.reason, $0.message) < ($1.object, $1.reason, $1.message) })
        {
            let event = try await event(for: draft)
            operations.append(.put(event.key, event.encoded(), .any, lease: lease))
        }
        return operations
    }

    /// The Event of a draft: a new one, or the recorded one counted up.
    private func event(for draft: EventDraft) async throws(StoreError) -> Event {
        let now = clock.now
        var event = Event()
        let namespace = draft.object.namespace.isEmpty ? "default" : draft.object.namespace
        let words = "\(draft.object.kind)\n\(draft.uid)\n\(draft.reason)\n\(draft.message)"
        // 46 characters, a hyphen and 16 digits make 63: the most that a name may have.
        event.metadata = Metadata(name: "\(draft.object.name.prefix(46))-\(stableHex(words))", namespace: namespace)
        var context = DecodingContext()
        let recorded = try await store.get(event.key).flatMap { Event.decode($0.value, at: FieldPath(), &context) }
        if var recorded {
            recorded.count += 1
            recorded.lastTimestamp = now
            return recorded
        }
        event.metadata.creationTimestamp = now
        event.metadata.uid = event.metadata.name
        event.involvedObject.kind = draft.object.kind
        event.involvedObject.namespace = draft.object.namespace
        event.involvedObject.name = draft.object.name
        event.involvedObject.uid = draft.uid
        event.reason = draft.reason
        event.message = draft.message
        event.type = draft.type
        event.firstTimestamp = now
        event.lastTimestamp = now
        return event
    }

    /// Forgets the lease, which has ended before its time.
    func forgetLease() { lease.withLock { $0 = nil } }

    private func currentLease() async throws(StoreError) -> LeaseID {
        let now = clock.now
        if let known = lease.withLock({ $0 }), known.usableUntil > now { return known.id }
        let granted = try await store.grantLease(timeToLive: Self.timeToLive)
        lease.withLock { $0 = (granted, now + Self.leaseUse) }
        return granted
    }
}

/// The FNV-1a hash of a text as 16 hexadecimal digits: stable across processes, not for security.
private func stableHex(_ text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}
