// AuditReadingTests: questions to the audit log, over its files, with what was lost.
import Glibc
import Logging
import MeridianContent
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianControlPlane

@Suite("Reading the audit log")
struct AuditReadingTests {
    private static let logger = Logger(label: "audit-test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs `body` with a log and its reader, whose files are deleted afterwards.
    private func withLog(_ body: (AuditLog, AuditReading, String) async throws -> Void) async throws {
        var template = Array("/tmp/meridian-audit-XXXXXX".utf8CString)
        let directory = String(cString: try #require(mkdtemp(&template)))
        let path = "\(directory)/audit.log"
        let log = AuditLog(path: path, logger: Self.logger)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(log, AuditReading(log: log, path: path), path))
        } catch { result = .failure(error) }
        try DurableFile.remove(directory)
        try result.get()
    }

    private static func entry(_ number: Int, user: String = "ana", resource: String = "apps", name: String = "a")
        -> JSONValue
    {
        [
            "auditID": .string("\(number)"), "user": ["username": .string(user)],
            "stageTimestamp": .string(Timestamp(milliseconds: Int64(number) * 1000).description),
            "objectRef": ["resource": .string(resource), "namespace": "shop", "name": .string(name)],
        ]
    }

    /// The numbers of the entries that a query finds.
    private static func ids(_ reading: AuditReading, _ query: AuditQuery) async throws -> [String] {
        try await reading.entries(query).compactMap { $0["auditID"]?.string }
    }

    @Test("finds by who, kind, namespace, name and time, the oldest first, and the last ones where there are too many")
    func filters() async throws {
        try await withLog { (log: AuditLog, reading: AuditReading, _: String) async throws in
            for number in 0..<10 { log.record(Self.entry(number)) }
            log.record(Self.entry(10, user: "bob"))
            log.record(Self.entry(11, resource: "secrets", name: "db"))
            #expect(try await Self.ids(reading, AuditQuery()) == (0..<12).map(String.init))
            #expect(try await Self.ids(reading, AuditQuery(user: "bob")) == ["10"])
            #expect(try await Self.ids(reading, AuditQuery(resource: "secrets")) == ["11"])
            #expect(try await Self.ids(reading, AuditQuery(name: "db")) == ["11"])
            #expect(try await Self.ids(reading, AuditQuery(namespace: "other")) == [])
            #expect(try await Self.ids(reading, AuditQuery(user: "ana", limit: 2)) == ["9", "11"])
            let since = Timestamp(milliseconds: 9000)
            #expect(try await Self.ids(reading, AuditQuery(since: since)) == ["9", "10", "11"])
        }
    }

    @Test("reads on in the files that made way, and passes over a line that a crash cut")
    func files() async throws {
        try await withLog { log, reading, path in
            log.record(Self.entry(1))
            log.flush()
            #expect(rename(path, "\(path).1") == 0)
            let file = try #require(fopen(path, "w"))
            fputs("{\"auditID\":\"cut", file)
            fputs("\n", file)
            fclose(file)
            log.record(Self.entry(2))
            #expect(try await Self.ids(reading, AuditQuery()) == ["1", "2"])
            #expect(try await Self.ids(reading, AuditQuery(limit: 1)) == ["2"])
        }
    }

    @Test("what was lost is told with its time, whatever is asked for, and stays known as a warning")
    func losses() async throws {
        try await withLog { _, _, path in
            let place = "\(path).later"
            let log = AuditLog(path: "\(place)/audit.log", logger: Self.logger)
            #expect(log.warning == nil)
            log.record(Self.entry(1))
            log.flush()
            #expect(log.warning?.contains("lost 1 entries") == true, "\(log.warning ?? "")")
            #expect(mkdir(place, 0o700) == 0)
            log.record(Self.entry(2))
            let found = try await AuditReading(log: log, path: "\(place)/audit.log").entries(AuditQuery(user: "bob"))
            #expect(found.map { $0["annotations"]?["meridian.dev/lost"]?.string } == ["1"])
            #expect(Timestamp(found.first?["stageTimestamp"]?.string ?? "") != nil)
            #expect(log.warning != nil, "the loss does not end with the trouble")
        }
    }
}
