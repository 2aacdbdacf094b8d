// StoreConformanceTests: what every store promises: transactions, reads, leases.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("Every store")
struct StoreConformanceTests {
    @Test("gives each writing transaction the next revision", arguments: Engine.allCases)
    func revisions(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            #expect(try await store.snapshot(kinds: nil).revision == 0)
            #expect(try await store.put(.app("a"), 1) == 1)
            #expect(try await store.commit([.put(.app("b"), 1, .any), .put(.app("c"), 1, .any)]) == 2)
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.revision == 2)
            #expect(snapshot.records.map(\.modRevision) == [1, 2, 2])
        }
    }

    @Test("applies all operations of a transaction or none", arguments: Engine.allCases)
    func atomicity(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), 1)
            let error = await storeError {
                try await store.commit([
                    .put(.app("b"), 1, .absent), .delete(.app("a"), .any), .put(.app("c"), 1, .modRevision(7)),
                ])
            }
            #expect(error?.code == .conflict)
            #expect(error?.key == .app("c"))
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.revision == 1)
            #expect(snapshot.records.map(\.key) == [.app("a")])
        }
    }

    @Test("refuses a write whose expectation does not hold", arguments: Engine.allCases)
    func conflicts(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), 1)
            let refused: [StoreOperation] = [
                .put(.app("a"), 2, .absent), .put(.app("a"), 2, .modRevision(9)), .delete(.app("a"), .modRevision(9)),
                .delete(.app("a"), .absent), .check(.app("a"), .absent), .delete(.app("none"), .modRevision(1)),
                .put(.app("none"), 2, .modRevision(1)), .check(.app("none"), .modRevision(1)),
            ]
            for operation in refused {
                #expect(await storeError { try await store.commit([operation]) }?.code == .conflict)
            }
            #expect(try await store.commit([.put(.app("a"), 2, .modRevision(1))]) == 2)
            #expect(try await store.commit([.check(.app("a"), .modRevision(2)), .put(.app("b"), 1, .absent)]) == 3)
        }
    }

    @Test("writes nothing where nothing changes", arguments: Engine.allCases)
    func noOperations(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), ["x": 1, "y": [1.0, nil]])
            #expect(try await store.put(.app("a"), ["y": [1.0, nil], "x": 1]) == 1)
            #expect(try await store.commit([.delete(.app("none"), .any)]) == 1)
            #expect(try await store.commit([.put(.app("b"), 1, .any), .delete(.app("b"), .any)]) == 1)
            #expect(try await store.commit([]) == 1)
            #expect(try await store.put(.app("a"), ["x": 1.0, "y": [1.0, nil]]) == 2)
            #expect(try await store.events(after: 0, count: 2).map(\.revision) == [1, 2])
        }
    }

    @Test("lets operations see those before them and tells the net change", arguments: Engine.allCases)
    func netChange(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), 1)
            _ = try await store.commit([
                .delete(.app("a"), .modRevision(1)), .put(.app("a"), 1, .absent), .put(.app("b"), 1, .absent),
                .put(.app("b"), 2, .modRevision(2)),
            ])
            let events = try await store.events(after: 1, count: 2)
            #expect(events.map(\.key) == [.app("a"), .app("b")])
            #expect(events[0].previous?.createRevision == 1)
            #expect(events[0].record?.createRevision == 2)
            #expect(events[1].previous == nil)
            #expect(events[1].record?.value == 2)
        }
    }

    @Test("keeps the create revision over updates and renews it on recreation", arguments: Engine.allCases)
    func createRevision(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), 1)
            _ = try await store.put(.app("a"), 2)
            let updated = try await store.get(.app("a"))
            #expect(updated == StoreRecord(key: .app("a"), value: 2, createRevision: 1, modRevision: 2))
            _ = try await store.commit([.delete(.app("a"), .any)])
            #expect(try await store.get(.app("a")) == nil)
            _ = try await store.put(.app("a"), 2)
            #expect(try await store.get(.app("a"))?.createRevision == 4)
        }
    }

    @Test("gives values back as they were, key order included", arguments: Engine.allCases)
    func values(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let value: JSONValue = [
                "z": "ü\u{0}\u{2028}\"\\", "a": .integer(.min), "m": [.integer(.max), 0.1, -0.0, 1e300, true, nil],
                "": [:],
            ]
            _ = try await store.put(.app("a"), value)
            let read = try await store.snapshot(kinds: ["App"]).records[0].value
            #expect(read == value)
            #expect(read.object?.keys == ["z", "a", "m", ""])
        }
    }

    @Test("pages through a kind in order and tells what remains", arguments: Engine.allCases)
    func paging(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            for namespace in ["one", "two"] {
                for number in 0..<5 { _ = try await store.put(.app("a\(number)", namespace: namespace), 1) }
            }
            _ = try await store.put(ObjectKey(kind: "Region", name: "fra"), 1)
            var after: ObjectKey?
            var seen: [ObjectKey] = []
            for remaining in [7, 4, 1, 0] {
                let page = try await store.list(kind: "App", namespace: nil, after: after, limit: 3)
                #expect(page.remaining == remaining)
                #expect(page.revision == 11)
                seen += page.records.map(\.key)
                after = page.records.last?.key
            }
            #expect(seen.count == 10)
            #expect(seen == seen.sorted())
            let one = try await store.list(kind: "App", namespace: "two", after: nil, limit: 100)
            #expect(one.records.map(\.key.namespace) == Array(repeating: "two", count: 5))
            #expect(one.remaining == 0)
        }
    }

    @Test("shows a snapshot of one moment while others write", arguments: Engine.allCases)
    func consistentSnapshots(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 1...200 {
                        let value = JSONValue.integer(Int64(number))
                        try await store.commit([.put(.app("left"), value, .any), .put(.app("right"), value, .any)])
                    }
                }
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<200 {
                            let snapshot = try await store.snapshot(kinds: ["App"])
                            #expect(Set(snapshot.records.map(\.value)).count <= 1)
                            #expect(snapshot.records.allSatisfy { $0.modRevision == snapshot.revision })
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("lets exactly one of many concurrent writers win each compare-and-set", arguments: Engine.allCases)
    func concurrentCounters(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("n"), 0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<25 { try await increment(.app("n"), in: store) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get(.app("n"))?.value == 200)
            #expect(try await store.snapshot(kinds: nil).revision == 201)
        }
    }

    @Test("commits each of several transactions, in order, past those that it refuses", arguments: Engine.allCases)
    func commitsEach(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let none = await store.commitEach([])
            #expect(none.isEmpty)
            let large = JSONValue.string(String(repeating: "x", count: StoreBounds.valueBytesMax))
            let answers = await store.commitEach([
                [.put(.app("a"), 1, .absent)],
                [.put(.app("b"), large, .any)],
                [.put(.app("a"), 2, .absent)],
                [.put(.app("a"), 2, .modRevision(1)), .put(.app("c"), 1, .absent)],
                [.delete(.app("c"), .modRevision(2))],
            ])
            let revisions = answers.map { try? $0.get() }
            #expect(revisions == [1, nil, nil, 2, 3])
            let codes = answers.map { answer -> StoreError.Code? in
                if case .failure(let error) = answer { error.code } else { nil }
            }
            #expect(codes == [nil, .refused, .conflict, nil, nil])
            #expect(try await store.get(.app("a"))?.value == 2)
            let events = try await store.events(after: 0, count: 4)
            #expect(events.map(\.revision) == [1, 2, 2, 3])
        }
    }

    @Test("knows what is not there, before and after a look at everything", arguments: Engine.allCases)
    func absence(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            _ = try await store.put(.app("a"), 1)
            for kinds in [Set(["Region"]), Set(["App", "Region"]), nil] {
                _ = try await store.snapshot(kinds: kinds)
                #expect(try await store.get(.app("b")) == nil)
                #expect(try await store.put(.app("b"), 1) > 0)
                #expect(try await store.get(.app("b"))?.value == 1)
                _ = try await store.commit([.delete(.app("b"), .any)])
                #expect(try await store.get(.app("b")) == nil)
                #expect(try await store.get(.app("a"))?.value == 1)
                #expect(try await store.get(ObjectKey(kind: "Region", name: "fra")) == nil)
            }
        }
    }

    @Test("refuses what is larger than its bounds, by name", arguments: Engine.allCases)
    func bounds(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let large = JSONValue.string(String(repeating: "x", count: StoreBounds.valueBytesMax))
            let error = await storeError { _ = try await store.put(.app("a"), large) }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("App/default/a") == true)
            let many = Array(repeating: StoreOperation.delete(.app("a"), .any), count: StoreBounds.operationsMax + 1)
            #expect(await storeError { try await store.commit(many) }?.code == .refused)
        }
    }
}

/// Adds one to a number, reading again after each conflict.
private func increment(_ key: ObjectKey, in store: any StorePort) async throws {
    // Among 8 writers each round has a winner, so 8 × 25 rounds are always enough.
    for _ in 0..<1000 {
        guard let record = try await store.get(key), case .integer(let number) = record.value else { return }
        do throws(StoreError) {
            try await store.commit([.put(key, .integer(number + 1), .modRevision(record.modRevision))])
            return
        } catch {
            #expect(error.code == .conflict)
        }
    }
    Issue.record("no round was won")
}
