// StoreWatchTests: what every store promises to those who watch it.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("A watch of every store")
struct StoreWatchTests {
    @Test("resumes after each revision without gap or duplicate", arguments: Engine.allCases)
    func resume(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            for number in 1...20 {
                let value = JSONValue.integer(Int64(number))
                try await store.commit([.put(.app("a\(number % 3)"), value, .any), .put(.app("b"), value, .any)])
            }
            for start in 0...19 {
                let events = try await store.events(after: Int64(start), count: 2 * (20 - start))
                #expect(events.map(\.revision) == (start + 1...20).flatMap { [Int64($0), Int64($0)] })
            }
        }
    }

    @Test("delivers every event in commit order while many write", arguments: Engine.allCases)
    func concurrentWriters(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let watches = [Int64(0), 0, 0].map { store.watch(after: $0, kinds: nil) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for number in 1...50 { _ = try await store.put(.app("w\(writer)"), .integer(Int64(number))) }
                    }
                }
                for watch in watches {
                    group.addTask {
                        var last: [ObjectKey: StoreRecord] = [:]
                        var revision: Int64 = 0
                        for try await event in watch {
                            #expect(event.revision == revision + 1)
                            #expect(event.previous == last[event.key])
                            #expect(event.record?.modRevision == event.revision)
                            last[event.key] = event.record
                            revision = event.revision
                            if revision == 200 { break }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("that begins at a snapshot, joined with it, is the store's content", arguments: Engine.allCases)
    func snapshotThenWatch(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<300 {
                        let key = ObjectKey.app("a\(number % 7)")
                        if number % 5 == 4 {
                            try await store.commit([.delete(key, .any)])
                        } else {
                            _ = try await store.put(key, .integer(Int64(number)))
                        }
                    }
                    _ = try await store.put(.app("end"), 1)
                }
                group.addTask {
                    for _ in 0..<20 { try await expectMirror(of: store) }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("tells only the kinds that were asked for", arguments: Engine.allCases)
    func kinds(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let live = store.watch(after: 0, kinds: ["Region"])
            try await store.commit([
                .put(.app("a"), 1, .any), .put(ObjectKey(kind: "Region", name: "fra"), 1, .any),
            ])
            _ = try await store.put(ObjectKey(kind: "Node", name: "n"), 1)
            try await store.commit([.delete(ObjectKey(kind: "Region", name: "fra"), .any)])
            var iterator = live.makeAsyncIterator()
            #expect(try await iterator.next()?.revision == 1)
            let deletion = try await iterator.next()
            #expect(deletion?.record == nil)
            #expect(deletion?.previous?.value == 1)
            let nodes = try await store.events(after: 0, count: 2, kinds: ["Node", "App"])
            #expect(nodes.map(\.key.kind) == ["App", "Node"])
        }
    }

    @Test("is refused where history was compacted, and live objects stay", arguments: Engine.allCases)
    func compaction(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            for number in 1...10 { _ = try await store.put(.app("a\(number)"), 1) }
            try await store.compact(through: 6)
            let error = await storeError { _ = try await store.events(after: 5, count: 1) }
            #expect(error?.code == .compacted)
            #expect(try await store.events(after: 6, count: 4).map(\.revision) == [7, 8, 9, 10])
            #expect(try await store.snapshot(kinds: nil).records.count == 10)
            try await store.compact(through: 3)
            try await store.compact(through: 1000)
            #expect(await storeError { _ = try await store.events(after: 9, count: 1) }?.code == .compacted)
            let ahead = await storeError { _ = try await store.events(after: 11, count: 1) }
            #expect(ahead?.code == .compacted)
            #expect(ahead?.message.contains("ahead") == true)
        }
    }

    @Test("that is live is not disturbed by compaction", arguments: Engine.allCases)
    func liveThroughCompaction(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            var iterator = store.watch(after: 0, kinds: nil).makeAsyncIterator()
            for number in 1...5 { _ = try await store.put(.app("a\(number)"), 1) }
            #expect(try await iterator.next()?.revision == 1)
            for number in 1...5 { _ = try await store.put(.app("b\(number)"), 1) }
            for revision in Int64(2)...6 { #expect(try await iterator.next()?.revision == revision) }
            try await store.compact(through: 9)
            for revision in Int64(7)...10 { #expect(try await iterator.next()?.revision == revision) }
        }
    }

    @Test("ends with overflow where its reader is too far behind", arguments: Engine.allCases)
    func overflow(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            var iterator = store.watch(after: 0, kinds: ["App"]).makeAsyncIterator()
            var unaffected = store.watch(after: 0, kinds: ["Region"]).makeAsyncIterator()
            try await store.commit([
                .put(.app("first"), 1, .any), .put(ObjectKey(kind: "Region", name: "fra"), 1, .any),
            ])
            #expect(try await iterator.next()?.revision == 1)
            #expect(try await unaffected.next()?.revision == 1)
            // One more, so that both are past the history and live.
            try await store.commit([
                .put(.app("first"), 2, .any), .put(ObjectKey(kind: "Region", name: "fra"), 2, .any),
            ])
            #expect(try await iterator.next()?.revision == 2)
            #expect(try await unaffected.next()?.revision == 2)
            for round in 0..<3 {
                let puts = (0..<StoreBounds.operationsMax).map { number in
                    StoreOperation.put(.app("a\(number)"), .integer(Int64(round)), .any)
                }
                try await store.commit(puts)
            }
            let error = await storeError { _ = try await iterator.next() }
            #expect(error?.code == .watchOverflow)
            try await store.commit([.delete(ObjectKey(kind: "Region", name: "fra"), .any)])
            #expect(try await unaffected.next()?.revision == 6)
            #expect(try await store.events(after: 5, count: 1).map(\.revision) == [6])
        }
    }

    @Test("ends when its task is cancelled", arguments: Engine.allCases)
    func cancellation(engine: Engine) async throws {
        try await engine.withStore { store, _ in
            let reader = Task {
                var count = 0
                for try await _ in store.watch(after: 0, kinds: nil) { count += 1 }
                return count
            }
            _ = try await store.put(.app("a"), 1)
            let feed = (store as? SQLiteStore)?.feed ?? (store as? MemoryStore)?.feed
            #expect(await eventually { feed?.waiting == 1 })
            reader.cancel()
            #expect(try await reader.value == 1)
            #expect(feed?.waiting == 0)
        }
    }
}

/// Takes a snapshot, follows the watch to the object `end`, and compares with a later snapshot at the same revision.
private func expectMirror(of store: any StorePort) async throws {
    let start = try await store.snapshot(kinds: nil)
    if start.records.contains(where: { $0.key == .app("end") }) { return }
    var mirror = Dictionary(uniqueKeysWithValues: start.records.map { ($0.key, $0) })
    for try await event in store.watch(after: start.revision, kinds: nil) {
        #expect(mirror[event.key] == event.previous)
        mirror[event.key] = event.record
        if event.key == .app("end") { break }
    }
    let end = try await store.snapshot(kinds: nil)
    #expect(mirror.values.sorted { $0.key < $1.key } == end.records)
}
