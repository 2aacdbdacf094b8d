// LeaseTable: which leases live and until when.
internal import MeridianModel
internal import MeridianPorts

/// The deadlines of the leases, in memory only: after a restart every lease has its whole time again, since nobody could
/// renew it while the store was closed.
struct LeaseTable: Sendable {
    private struct Lease {
        let timeToLive: Duration
        var deadline: Timestamp
    }

    private var leases: [LeaseID: Lease] = [:]

    init() {}

    mutating func add(_ id: LeaseID, timeToLive: Duration, now: Timestamp) {
        leases[id] = Lease(timeToLive: timeToLive, deadline: now + timeToLive)
    }

    mutating func renew(_ id: LeaseID, now: Timestamp) throws(StoreError) {
        guard let lease = leases[id], lease.deadline > now else { throw .noLease(id) }
        leases[id]?.deadline = now + lease.timeToLive
    }

    mutating func remove(_ ids: [LeaseID]) { for id in ids { leases[id] = nil } }

    func contains(_ id: LeaseID) -> Bool { leases[id] != nil }

    /// The leases whose time is over, in order of their grant.
    func ended(by now: Timestamp) -> [LeaseID] {
        leases.filter { $0.value.deadline <= now }.keys.sorted { $0.rawValue < $1.rawValue }
    }
}
