// BrokenAppTests: programs that must fail their port check, each with the right words.
import Foundation
import Testing

@Suite("Programs that do not listen", .enabled(if: Programs.missing == nil, "needs root and the built program"))
struct BrokenAppTests {
    @Test("each manifest in manifests/broken fails with its words and in its time", .timeLimit(.minutes(10)))
    func broken() throws {
        let platform = try Platform()
        let cases: [(file: String, reason: String, words: [String])] = [
            ("localhost-only", "ListensOnLocalhostOnly", ["0.0.0.0"]),
            ("never-listens", "ListensNowhere", ["PORT"]),
            ("exits-3", "ExitedEarly", ["code 3"]),
            ("wrong-port", "ListensElsewhere", ["PORT"]),
        ]
        for (file, reason, words) in cases {
            let applied = try platform.meridian(
                "apply",
                "-f",
                "\(Programs.root)/manifests/broken/\(file).yaml",
                "--wait=3m"
            )
            #expect(applied.code == 1, "\(file): \(applied.all)")
            #expect(applied.all.contains(reason), "\(file): \(applied.all)\n\(platform.log)")
            for word in words { #expect(applied.all.contains(word), "\(file): \(applied.all)") }
        }
        let apps = try platform.meridian("get", "apps")
        #expect(apps.output.split(separator: "\n").count == cases.count + 1)
    }
}
