// AuditCommandTests: `meridian audit` asks for what was named and shows who did what.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianCommands

@Suite("meridian audit")
struct AuditCommandTests {
    private static let write: JSONValue = [
        "verb": "patch", "user": ["username": "ana"], "stageTimestamp": "2026-01-01T00:00:00Z",
        "objectRef": ["resource": "apps", "namespace": "shop", "name": "hello"], "responseStatus": ["code": 200],
        "annotations": ["meridian.dev/revision": "12"],
    ]
    private static let refused: JSONValue = [
        "verb": "post", "user": ["username": "bob"], "stageTimestamp": "2026-01-01T00:00:01Z",
        "requestURI": "/meridian/v1/backup?keys=true", "responseStatus": ["code": 403],
    ]
    private static let gap: JSONValue = [
        "stageTimestamp": "2026-01-01T00:00:02Z", "annotations": ["meridian.dev/lost": "7"],
    ]

    @Test("shows writes, refusals and gaps in order, and warns of what is missing")
    func table() async {
        let platform = FakePlatform()
        platform.update { $0.audit = [Self.write, Self.refused, Self.gap] }
        let run = await CommandRun(["audit"], on: platform)
        #expect(run.code == 0)
        let rows = run.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(rows.map(\.count).min() == 6)
        #expect(rows[1] == ["2026-01-01T00:00:00Z", "ana", "patch", "shop/app/hello", "200", "12"])
        #expect(rows[2] == ["2026-01-01T00:00:01Z", "bob", "post", "/meridian/v1/backup?keys=true", "403", "-"])
        #expect(rows[3].joined(separator: " ").contains("(7 entries lost)"))
        #expect(run.errors == "warning: 7 entries are missing: the disk did not take them in time\n")
    }

    @Test("hands every filter on; times may be ago or exact")
    func filters() async {
        let platform = FakePlatform()
        let hour = await CommandRun(
            [
                "audit", "--who", "ana", "--kind", "app", "--name", "hello", "-n", "shop", "--since", "1h", "--limit",
                "5",
            ],
            on: platform
        )
        #expect(hour.code == 0 && hour.errors == "No entries found.\n")
        _ = await CommandRun(["audit", "--since", "2026-01-01T00:00:00Z"], on: platform)
        let queries = platform.auditQueries
        let ago = Timestamp(milliseconds: FakePlatform.now.milliseconds - 3_600_000)
        #expect(
            queries.first
                == AuditQuery(user: "ana", resource: "apps", namespace: "shop", name: "hello", since: ago, limit: 5)
        )
        #expect(queries.last == AuditQuery(since: Timestamp("2026-01-01T00:00:00Z")))
        for words in [["--kind", "nonsense"], ["--since", "yesterday"], ["--limit", "0"], ["-o", "wide"]] {
            #expect(await CommandRun(["audit"] + words, on: platform).code == 64, "\(words)")
        }
    }

    @Test("prints whole entries as JSON")
    func json() async throws {
        let platform = FakePlatform()
        platform.update { $0.audit = [Self.write, Self.gap] }
        let run = await CommandRun(["audit", "-o", "json"], on: platform)
        #expect(try JSONValue(parsing: run.output) == [Self.write, Self.gap])
    }

    @Test("status warns of what the log lost")
    func warning() async {
        let platform = FakePlatform()
        platform.update { $0.warnings = ["the audit log has lost 3 entries since the start: no room"] }
        let run = await CommandRun(["status"], on: platform)
        #expect(run.code == 0)
        #expect(run.errors == "warning: the audit log has lost 3 entries since the start: no room\n")
    }
}
