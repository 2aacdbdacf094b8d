// StoreMigrationTests: files of every earlier version open with all that they hold; a failing upgrade changes nothing.
import GRDB
import Glibc
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("Upgrades of the store's file")
struct StoreMigrationTests {
    /// The versions that there are, each as its fixture `Schemas/<version>.sql` is called.
    private static let versions = StoreSchema.migrator.migrations.map { String($0.prefix { $0 != ":" }) }

    private static func fixture(_ version: String) throws -> String {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return String(decoding: try fileBytes("/\(folder)/Schemas/\(version).sql"), as: UTF8.self)
    }

    /// Makes the file of a version in `directory`.
    private static func make(_ version: String, in directory: String) throws {
        let file = try DatabaseQueue(path: "\(directory)/store.sqlite")
        try file.write { db in try db.execute(sql: try fixture(version)) }
        try file.close()
    }

    /// Every table's definition and every row of a file, as text.
    private static func dump(_ path: String) throws -> String {
        let file = try DatabaseQueue(path: path)
        let output = Output()
        try file.dumpContent(to: output)
        try file.close()
        return output.text
    }

    /// The words of the definitions of every table and index.
    private static func schema(_ file: DatabaseQueue) throws -> [Substring] {
        let output = Output()
        try file.dumpSchema(to: output)
        try file.close()
        return output.text.split(whereSeparator: \.isWhitespace)
    }

    /// Keeps what is written.
    private final class Output: TextOutputStream {
        var text = ""

        func write(_ string: String) { text += string }
    }

    private static func contents(_ directory: String) throws -> String { try dump("\(directory)/store.sqlite") }

    @Test("a fixture has the tables that its version makes", arguments: versions)
    func authentic(version: String) async throws {
        try await withDirectory { directory in
            try Self.make(version, in: directory)
            let index = try #require(Self.versions.firstIndex(of: version))
            let made = try DatabaseQueue()
            try StoreSchema.migrator.migrate(made, upTo: StoreSchema.migrator.migrations[index])
            let file = try DatabaseQueue(path: "\(directory)/store.sqlite")
            #expect(try Self.schema(file) == Self.schema(made))
        }
    }

    @Test("a file of any version opens with its objects, history and leases", arguments: versions)
    func opens(version: String) async throws {
        try await withDirectory { directory in
            try Self.make(version, in: directory)
            let clock = TestClock()
            let store = try SQLiteStore(directory: directory, clock: clock)
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.revision == 5)
            let event = ObjectKey(kind: "Event", namespace: "default", name: "e")
            let app = StoreRecord(key: .app("a"), value: ["spec": ["x": 2]], createRevision: 1, modRevision: 3)
            #expect(snapshot.records.map(\.key) == [.app("a"), .app("c", namespace: "shop"), event])
            #expect(snapshot.records.first == app)
            #expect(snapshot.records[1].value == ["spec": ["z": "é"]])

            let events = try await store.events(after: 1, count: 4)
            #expect(events.map(\.revision) == [2, 3, 4, 5])
            #expect(events.map(\.key) == [event, .app("a"), .app("b"), .app("c", namespace: "shop")])
            #expect(events[1].previous?.value == ["spec": ["x": 1]])
            #expect(events[1].record == app)
            #expect(events[2].record == nil)
            #expect(await storeError { _ = try await store.events(after: 0, count: 1) }?.code == .compacted)

            #expect(try await store.grantLease(timeToLive: .seconds(5)) == LeaseID(rawValue: 8))
            clock.advance(.seconds(11))
            try await store.expireLeases()
            #expect(try await store.get(event) == nil, "the lease holds its object")
            #expect(try await store.put(.app("next"), 1) == 7)
            try store.close()
        }
    }

    @Test("a step that fails leaves the file as it was, and says so")
    func failingStep() async throws {
        try await withDirectory { directory in
            try Self.make("v1", in: directory)
            let path = "\(directory)/store.sqlite"
            let before = try Self.contents(directory)
            var migrator = StoreSchema.migrator
            migrator.registerMigration("v900: works") { db in
                try db.execute(sql: "ALTER TABLE objects ADD COLUMN colour TEXT; DELETE FROM history")
            }
            migrator.registerMigration("v901: fails") { db in
                try db.execute(sql: "INSERT INTO leases VALUES (1, 1); SELECT * FROM nowhere")
            }
            let error = await storeError { _ = try SQLiteStore.opened(path, migrator) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("was left as it is") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("nowhere") == true, "\(error?.message ?? "")")
            #expect(try Self.contents(directory) == before)
            #expect(!names(in: directory).contains { $0.contains("upgrade") || $0.contains("v1") })

            // The program that wrote it goes on with it.
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            #expect(try await store.put(.app("next"), 1) == 6)
            try store.close()
        }
    }

    @Test("an upgrade keeps the old file beside the new one, and the old program can have it back")
    func wayBack() async throws {
        try await withDirectory { directory in
            try Self.make("v1", in: directory)
            let path = "\(directory)/store.sqlite"
            let before = try Self.contents(directory)
            var migrator = StoreSchema.migrator
            migrator.registerMigration("v900: colours") { db in
                try db.execute(sql: "ALTER TABLE objects ADD COLUMN colour TEXT")
            }
            let pool = try SQLiteStore.opened(path, migrator)
            #expect(
                try await pool.read { db in try Int.fetchOne(db, sql: "SELECT COUNT(colour IS NULL) FROM objects") }
                    == 3
            )
            try pool.close()
            #expect(try Self.dump("\(path).v1") == before)
            // It opens again without another upgrade, and the old program refuses it.
            try SQLiteStore.opened(path, migrator).close()
            let refusal = await storeError { _ = try SQLiteStore(directory: directory, clock: TestClock()) }
            #expect(refusal?.message.contains("newer Meridian") == true)
            #expect(rename("\(path).v1", path) == 0)
            let store = try SQLiteStore(directory: directory, clock: TestClock())
            #expect(try await store.snapshot(kinds: nil).revision == 5)
            try store.close()
        }
    }

    @Test("what a killed upgrade left is no obstacle")
    func killed() async throws {
        try await withDirectory { directory in
            try Self.make("v1", in: directory)
            let path = "\(directory)/store.sqlite"
            for name in ["\(path).upgrade", "\(path).upgrade-wal", "\(path).v1"] {
                let file = try #require(fopen(name, "w"))
                fputs("half of something", file)
                fclose(file)
            }
            let before = try Self.contents(directory)
            var migrator = StoreSchema.migrator
            migrator.registerMigration("v900: nothing") { _ in }
            try SQLiteStore.opened(path, migrator).close()
            #expect(try Self.dump("\(path).v1") == before)
            #expect(!names(in: directory).contains { $0.contains("upgrade") })
        }
    }
}
