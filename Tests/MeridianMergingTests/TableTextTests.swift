// TableTextTests: the rows of `get`.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Tables of objects")
struct TableTextTests {
    private let now = Timestamp(milliseconds: 1_000_000_000)

    @Test("columns come from paths, conditions and ages; defaults are shown, missing values are a dash")
    func columns() throws {
        let kind = try #require(Kind.named("app"))
        let app = try JSONValue(
            parsing: """
                {"apiVersion":"meridian.dev/v1","kind":"App","metadata":{"name":"hello","namespace":"default",
                "creationTimestamp":"\(Timestamp(milliseconds: now.milliseconds - 200_000))"},
                "spec":{"source":{"path":"."}},"status":{"conditions":[{"type":"Ready","status":"True",
                "reason":"Ok","lastTransitionTime":"1970-01-01T00:00:00Z"}]}}
                """
        )
        let table = TableText(kind: kind, showsNamespace: true, now: now)
        #expect(table.header == ["NAMESPACE", "NAME", "BUILT", "READY", "SERVING", "RUNNERS", "URL", "AGE"])
        #expect(table.cells(of: app) == ["default", "hello", "-", "True", "-", "0", "-", "3m20s"])
        let wide = TableText(kind: kind, isWide: true, now: now)
        #expect(wide.header.contains("REASON") && wide.cells(of: app).contains("Ok"))
    }

    @Test("columns line up and lines end without spaces")
    func alignment() {
        #expect(
            TableText.lines([["NAME", "AGE"], ["a-long-name", "5s"]]) == ["NAME          AGE", "a-long-name   5s"]
        )
    }

    @Test("control characters do not reach the terminal")
    func controls() throws {
        let kind = try #require(Kind.named("event"))
        let event: JSONValue = ["metadata": ["name": "e"], "message": "a\u{1B}[2Jb\nc"]
        #expect(TableText(kind: kind, now: now).cells(of: event).contains("a [2Jb c"))
    }

    @Test(
        "ages are written as kubectl writes them",
        arguments: [
            (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (601, "10m"), (10_800, "3h"), (11_100, "3h5m"),
            (30_000, "8h"), (172_800, "2d"), (190_000, "2d4h"), (800_000, "9d"),
        ]
    )
    func ages(_ seconds: Int64, _ text: String) {
        #expect(ageText(from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: seconds * 1000)) == text)
    }
}
