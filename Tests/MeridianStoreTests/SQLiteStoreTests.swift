// SQLiteStoreTests: what only the durable store promises: that it keeps, and how it fails.
import GRDB
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("The embedded store")
struct SQLiteStoreTests {
    @Test("keeps objects, revisions, history and leases over a restart")
    func reopen() async throws {
        try await withDirectory { directory in
            let clock = TestClock()
            let first = try SQLiteStore(directory: directory, clock: clock)
            let lease = try await first.grantLease(timeToLive: .seconds(10))
            _ = try await first.put(.app("a"), ["x": 1])
            try await first.commit([.put(.app("b"), 2, .any, lease: lease)])
            let before = try await first.snapshot(kinds: nil)
            try first.close()
            clock.advance(.seconds(60))

            let second = try SQLiteStore(directory: directory, clock: clock)
            let after = try await second.snapshot(kinds: nil)
            #expect(after.revision == before.revision)
            #expect(after.records == before.records)
            #expect(try await second.events(after: 0, count: 2).map(\.key) == [.app("a"), .app("b")])
            try await second.expireLeases()
            #expect(try await second.get(.app("b")) != nil, "a lease has its whole time again after a restart")
            clock.advance(.seconds(10))
            try await second.expireLeases()
            #expect(try await second.get(.app("b")) == nil)
            try second.close()
        }
    }

    @Test("has every answered commit on the disk before it answers")
    func answeredMeansWritten() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            for number in 1...20 { _ = try await store.put(.app("a\(number)"), 1) }
            // A copy of the files is what a killed process leaves.
            try await withDirectory { copy in
                for name in ["store.sqlite", "store.sqlite-wal"] {
                    try copyFile("\(directory)/\(name)", "\(copy)/\(name)")
                }
                let survivor = try SQLiteStore(directory: copy, clock: TestClock())
                #expect(try await survivor.snapshot(kinds: nil).records.count == 20)
                #expect(try await survivor.put(.app("next"), 1) == 21)
                try survivor.close()
            }
            try store.close()
        }
    }

    @Test("opens at a whole commit whatever part of the last write is missing")
    func tornWrite() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            for number in Int64(1)...10 {
                let value = JSONValue.integer(number)
                try await store.commit([.put(.app("l"), value, .any), .put(.app("r"), value, .any)])
            }
            let log = try fileBytes("\(directory)/store.sqlite-wal")
            for cut in stride(from: log.count, to: 0, by: -max(1, log.count / 40)) {
                try await withDirectory { copy in
                    try copyFile("\(directory)/store.sqlite", "\(copy)/store.sqlite")
                    try writeFile("\(copy)/store.sqlite-wal", Array(log.prefix(cut)))
                    let survivor = try SQLiteStore(directory: copy, clock: TestClock())
                    let snapshot = try await survivor.snapshot(kinds: nil)
                    #expect(Set(snapshot.records.map(\.value)).count <= 1)
                    #expect(snapshot.records.allSatisfy { $0.modRevision == snapshot.revision })
                    try survivor.close()
                }
            }
            try store.close()
        }
    }

    @Test("writes with synchronous=FULL")
    func synchronousFull() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            let level = try await store.pool.write { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") }
            #expect(level == SQLiteStore.synchronousFull)
            let mode = try await store.pool.write { db in try String.fetchOne(db, sql: "PRAGMA journal_mode") }
            #expect(mode == "wal")
            try store.close()
        }
    }

    @Test("refuses a second opening in words, and allows it after the first has closed")
    func secondOpening() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            let error = await storeError { _ = try SQLiteStore(directory: directory, clock: TestClock()) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("another process (\(getpid()))") == true)
            try store.close()
            try SQLiteStore(directory: directory, clock: TestClock()).close()
        }
    }

    @Test("says that the disk is full, changes nothing, and goes on when there is room")
    func diskFull() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            _ = try await store.put(.app("a"), 1)
            let pages = try await store.pool.write { db in try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0 }
            try await store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA max_page_count = \(pages)")
            }
            let large = JSONValue.string(String(repeating: "x", count: 100_000))
            let error = await storeError { _ = try await store.put(.app("b"), large) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("Free space") == true)
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.revision == 1)
            #expect(snapshot.records.map(\.key) == [.app("a")])
            try await store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA max_page_count = 100000") }
            #expect(try await store.put(.app("b"), large) == 2)
            try store.close()
        }
    }

    @Test("says that the file cannot be written and changes nothing")
    func readOnly() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            try await store.pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA query_only = 1") }
            let error = await storeError { _ = try await store.put(.app("a"), 1) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("cannot be written") == true)
            #expect(try await store.snapshot(kinds: nil).revision == 0)
            try store.close()
        }
    }

    @Test("names a damaged file and the next step", arguments: [0, 4096])
    func damaged(offset: Int) async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            for number in 1...50 { _ = try await store.put(.app("a\(number)"), 1) }
            try store.close()
            let path = "\(directory)/store.sqlite"
            var bytes = try fileBytes(path)
            for index in offset..<(offset + 2000) { bytes[index] = 0xA5 }
            try writeFile(path, bytes)
            let error = await storeError { _ = try SQLiteStore(directory: directory, clock: TestClock()) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains(path) == true)
            #expect(error?.message.contains("restore the file from a backup") == true)
        }
    }

    @Test("refuses a file that a newer Meridian wrote")
    func newerSchema() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            try await store.pool.write { db in
                try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('v999: from the future')")
            }
            try store.close()
            let error = await storeError { _ = try SQLiteStore(directory: directory, clock: TestClock()) }
            #expect(error?.message.contains("newer Meridian") == true)
        }
    }

    @Test("shares commits to the disk among writers that come together")
    func groupCommit() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<2000 { group.addTask { try await store.put(.app("a\(number)"), 1) } }
                var revisions: Set<Int64> = []
                for try await revision in group { revisions.insert(revision) }
                #expect(revisions == Set(1...2000))
            }
            #expect(try await store.snapshot(kinds: nil).records.count == 2000)
            try store.close()
        }
    }

    @Test("compacts by itself and keeps the latest history")
    func automaticCompaction() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            let last = StoreBounds.historyRevisionsKept + StoreBounds.historyRevisionsSlack + 300
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<50 {
                    group.addTask {
                        for number in 1...(last / 50) { _ = try await store.put(.app("a\(writer)"), .integer(number)) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(await storeError { _ = try await store.events(after: 10, count: 1) }?.code == .compacted)
            let kept = last - StoreBounds.historyRevisionsKept
            #expect(try await store.events(after: kept + 10, count: 1).map(\.revision) == [kept + 11])
            try store.close()
        }
    }

    @Test("ends its watches when it is closed, and refuses further writes")
    func closing() async throws {
        try await withDirectory { directory in
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            let reader = Task {
                for try await _ in store.watch(after: 0, kinds: nil) {}
            }
            #expect(await eventually { store.feed.waiting == 1 })
            try store.close()
            try await reader.value
            #expect(await storeError { _ = try await store.put(.app("a"), 1) }?.code == .unavailable)
        }
    }
}

func fileBytes(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"))
    defer { fclose(file) }
    fseek(file, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: ftell(file))
    rewind(file)
    let count = fread(&bytes, 1, bytes.count, file)
    #expect(count == bytes.count)
    return bytes
}

private func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    let file = try #require(fopen(path, "w"))
    let count = fwrite(bytes, 1, bytes.count, file)
    let closed = fclose(file)
    #expect(closed == 0 && count == bytes.count)
}

private func copyFile(_ source: String, _ target: String) throws { try writeFile(target, try fileBytes(source)) }
