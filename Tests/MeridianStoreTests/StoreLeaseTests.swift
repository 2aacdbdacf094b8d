// StoreLeaseTests: leases of every store, by a clock that the test moves.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("A lease of every store")
struct StoreLeaseTests {
    @Test("deletes its objects when it ends and not before", arguments: Engine.allCases)
    func expiry(engine: Engine) async throws {
        try await engine.withStore { store, clock in
            let lease = try await store.grantLease(timeToLive: .seconds(10))
            try await store.commit([
                .put(.app("a"), 1, .any, lease: lease), .put(.app("b"), 1, .any, lease: lease),
                .put(.app("c"), 1, .any),
            ])
            clock.advance(.seconds(9))
            try await store.expireLeases()
            #expect(try await store.snapshot(kinds: nil).records.count == 3)
            try await store.renewLease(lease)
            clock.advance(.seconds(9))
            try await store.expireLeases()
            #expect(try await store.snapshot(kinds: nil).revision == 1)
            clock.advance(.seconds(1))
            try await store.expireLeases()
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.records.map(\.key) == [.app("c")])
            #expect(snapshot.revision == 2)
            let events = try await store.events(after: 1, count: 2)
            #expect(events.map(\.key) == [.app("a"), .app("b")])
            #expect(events.allSatisfy { $0.record == nil })
        }
    }

    @Test("cannot be used or renewed after its end", arguments: Engine.allCases)
    func ended(engine: Engine) async throws {
        try await engine.withStore { store, clock in
            let lease = try await store.grantLease(timeToLive: .seconds(1))
            clock.advance(.seconds(1))
            #expect(await storeError { try await store.renewLease(lease) }?.code == .leaseNotFound)
            try await store.expireLeases()
            let put = StoreOperation.put(.app("a"), 1, .any, lease: lease)
            #expect(await storeError { try await store.commit([put]) }?.code == .leaseNotFound)
            #expect(await storeError { try await store.revokeLease(lease) }?.code == .leaseNotFound)
            #expect(try await store.snapshot(kinds: nil).revision == 0)
            #expect(try await store.grantLease(timeToLive: .seconds(1)) != lease)
        }
    }

    @Test("lets go of an object that is put without it or under another", arguments: Engine.allCases)
    func detach(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let first = try await store.grantLease(timeToLive: .seconds(1))
            let second = try await store.grantLease(timeToLive: .seconds(1))
            try await store.commit([.put(.app("a"), 1, .any, lease: first), .put(.app("b"), 1, .any, lease: first)])
            try await store.commit([.put(.app("a"), 1, .any), .put(.app("b"), 1, .any, lease: second)])
            try await store.revokeLease(first)
            #expect(try await store.snapshot(kinds: nil).records.count == 2)
            try await store.revokeLease(second)
            #expect(try await store.snapshot(kinds: nil).records.map(\.key) == [.app("a")])
        }
    }
}
