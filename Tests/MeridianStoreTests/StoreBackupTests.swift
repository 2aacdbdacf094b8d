// StoreBackupTests: copies of a store that is written to, and what a store is that began as one.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("A copy of the embedded store")
struct StoreBackupTests {
    /// Copies `store` into a new directory and runs `body` with it.
    private func withCopy(of store: SQLiteStore, _ body: (String, Int64) async throws -> Void) async throws {
        try await withDirectory { directory in
            try await body(directory, try await store.copy(to: "\(directory)/store.sqlite"))
        }
    }

    @Test("is of one revision, however many writes go on meanwhile")
    func consistent() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            _ = try await store.commit([.put(.app("l"), 0, .any), .put(.app("r"), 0, .any)])
            let writer = Task {
                var number: Int64 = 0
                while !Task.isCancelled {
                    number += 1
                    try await store.commit([
                        .put(.app("l"), .integer(number), .any), .put(.app("r"), .integer(number), .any),
                    ])
                }
                return number
            }
            for _ in 0..<10 {
                try await withCopy(of: store) { copy, revision in
                    let opened = try SQLiteStore(directory: copy, clock: TestClock())
                    let snapshot = try await opened.snapshot(kinds: nil)
                    #expect(snapshot.revision == revision)
                    #expect(Set(snapshot.records.map(\.value)).count == 1, "both sides of one commit, or neither")
                    #expect(snapshot.records.map(\.modRevision).max() == revision)
                    try opened.close()
                }
            }
            writer.cancel()
            #expect(try await writer.value > 0)
            try store.close()
        }
    }

    @Test("begins a history in which every revision of the old store's later life is gone for good")
    func newHistory() async throws {
        try await withDirectory { directory in
            let clock = TestClock()
            let store = try SQLiteStore(directory: directory, clock: clock)
            let lease = try await store.grantLease(timeToLive: .seconds(10))
            try await store.commit([.put(.app("leased"), 1, .any, lease: lease)])
            for number in 1...10 { _ = try await store.put(.app("a\(number)"), .integer(Int64(number))) }
            try await withCopy(of: store) { copy, revision in
                let before = try await store.snapshot(kinds: nil)
                for number in 1...50 { _ = try await store.put(.app("later\(number)"), 1) }
                let later = try await store.snapshot(kinds: nil).revision

                try SQLiteStore.beginNewHistory(in: copy)
                let restored = try SQLiteStore(directory: copy, clock: clock)
                let snapshot = try await restored.snapshot(kinds: nil)
                #expect(snapshot.records == before.records, "objects keep the revisions that wrote them")
                #expect(snapshot.revision > later)
                for known in [revision - 1, revision, later] {
                    let error = await storeError { _ = try await restored.events(after: known, count: 1) }
                    #expect(error?.code == .compacted, "after \(known)")
                }
                let next = try await restored.put(.app("next"), 1)
                #expect(next == snapshot.revision + 1)
                #expect(try await restored.events(after: snapshot.revision, count: 1).map(\.key) == [.app("next")])
                clock.advance(.seconds(11))
                try await restored.expireLeases()
                #expect(try await restored.get(.app("leased")) == nil, "leases live on")
                try restored.close()
            }
            try store.close()
        }
    }

    @Test("is not made over a file that is something else")
    func occupied() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            let error = await storeError { _ = try await store.copy(to: "/proc/none/store.sqlite") }
            #expect(error?.code == .unavailable)
            #expect(
                await storeError { try SQLiteStore.beginNewHistory(in: directory) }?.message.contains("open in another")
                    == true
            )
            try store.close()
        }
    }
}
