// MainJobTests: from a directory of YAML to an answered request, with the real program.
import Foundation
import Testing

@Suite("The main job", .enabled(if: Programs.missing == nil, "needs root and the built program"), .serialized)
struct MainJobTests {
    @Test("the examples apply, answer cold then hot, and apply again without a trace", .timeLimit(.minutes(15)))
    func examples() throws {
        let platform = try Platform()
        let examples = Programs.root + "/manifests/examples"
        let applied = try platform.meridian("apply", "-f", examples, "--wait=10m", seconds: 700)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")

        let before = try settledRevision(of: platform)
        let again = try platform.meridian("apply", "-f", examples)
        #expect(again.code == 0)
        #expect(again.output.split(separator: "\n").allSatisfy { $0.hasSuffix("unchanged") }, "\(again.all)")
        #expect(try platform.meridian("diff", "-f", examples).code == 0)
        let plan = try platform.meridian("plan", "-f", examples)
        #expect(plan.code == 0, "\(plan.all)")
        #expect(try storeRevision(of: platform) == before, "applying the same files used a store revision")

        let first = try platform.get("hello.localhost")
        #expect(first.status == 200)
        #expect(first.headers["x-meridian-temperature"] == "cold")
        #expect(first.headers["x-meridian-revision"] == "hello-swift-00001")
        #expect(first.headers["x-meridian-region"] == "local")
        #expect(first.headers["x-request-id"]?.isEmpty == false)
        let second = try platform.get("hello.localhost")
        #expect(second.headers["x-meridian-temperature"] == "hot")
        #expect(second.headers["x-globe-temperature"] == "hot")
        #expect(try platform.get("hello-c.default.localhost").status == 200)
        #expect(try platform.get("hello-c-00001.default.localhost").status == 200)
        #expect(try platform.get("nobody.localhost").status == 404)

        let abroad = try platform.apply(
            Fixtures.app("abroad", "regions: {preferred: [eu-central-1]}"),
            in: Fixtures.serverDirectory()
        )
        #expect(abroad.code == 0, "\(abroad.all)")
        let there = try platform.get("abroad.default.localhost")
        #expect(there.headers["x-meridian-region"] == "fra", "the alias names the region")
    }

    @Test("a split of two apps keeps a client and gives each its share", .timeLimit(.minutes(5)))
    func split() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let manifest =
            Fixtures.app("one", "env: {WORD: one}") + "---\n" + Fixtures.app("two", "env: {WORD: two}") + """
                ---
                apiVersion: meridian.dev/v1
                kind: TrafficSplit
                metadata: {name: both}
                spec:
                  app: one
                  hosts: [both.localhost]
                  backends: [{app: one, weight: 75}, {app: two, weight: 25}]
                  sticky: {cookie: variant, ttl: 1h}
                """
        let applied = try platform.apply(manifest, in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        var words: [String: Int] = [:]
        for _ in 0..<400 {
            let answer = try platform.get("both.localhost")
            words[answer.body.contains("word=one") ? "one" : "two", default: 0] += 1
        }
        // 400 draws of 75 %: the standard deviation is 8.7, so this range is six of them to each side.
        #expect((248...352).contains(words["one"] ?? 0), "\(words)")
        let cookie = try #require(try platform.get("both.localhost").headers["set-cookie"])
        let pair = String(cookie.prefix { $0 != ";" })
        let bodies = try Set((0..<20).map { _ in try platform.get("both.localhost", headers: ["Cookie": pair]).body })
        #expect(bodies.count == 1)
    }

    @Test(
        "rules lead requests to their backends, and a client stays on its revision for maxAge",
        .timeLimit(.minutes(5))
    )
    func rules() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        func manifest(_ word: String) -> String {
            Fixtures.app("one", "env: {WORD: \(word)}") + "---\n" + Fixtures.app("two", "env: {WORD: two}") + """
                ---
                apiVersion: meridian.dev/v1
                kind: TrafficSplit
                metadata: {name: ruled}
                spec:
                  app: one
                  hosts: [ruled.localhost]
                  backends: [{revision: latest, weight: 100}]
                  rules:
                  - matches: [{pathPrefix: /two}, {headers: [{name: x-two, present: true}]}]
                    backends: [{app: two, weight: 100}]
                  sticky: {cookie: revision, maxAge: 1h}
                """
        }
        let applied = try platform.apply(manifest("first"), in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(try platform.get("ruled.localhost", "/two/x").body.contains("word=two"))
        #expect(try platform.get("ruled.localhost", headers: ["X-Two": "1"]).body.contains("word=two"))
        let first = try platform.get("ruled.localhost", "/twofold")
        #expect(first.body.contains("word=first"))
        let cookie = try #require(first.headers["set-cookie"])
        #expect(cookie == "revision=one-00001; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax")
        let again = try platform.apply(manifest("second"), in: directory)
        try #require(again.code == 0, "\(again.all)\n\(platform.log)")
        #expect(try platform.get("ruled.localhost").body.contains("word=second"))
        let pair = String(cookie.prefix { $0 != ";" })
        let kept = try platform.get("ruled.localhost", headers: ["Cookie": pair])
        #expect(kept.body.contains("word=first") && kept.headers["set-cookie"] == nil)
        #expect(try platform.get("ruled.localhost", "/two", headers: ["Cookie": pair]).body.contains("word=two"))
    }

    @Test("a Secret reaches the program and nobody else", .timeLimit(.minutes(5)))
    func secret() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let manifest = """
            apiVersion: meridian.dev/v1
            kind: Secret
            metadata: {name: vault}
            stringData: {token: swordfish-77}
            ---

            """ + Fixtures.app("keeper", "secretEnv: {TOKEN: {secret: vault, key: token}}")
        let applied = try platform.apply(manifest, in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(try platform.get("keeper.default.localhost").body.contains("secret=12"))
        for verb in [
            ["get", "secret", "vault", "-o", "yaml"], ["describe", "app", "keeper"],
            ["get", "revisions", "-o", "json"],
        ] {
            let shown = try Command.run(Programs.meridian, verb + ["--server", platform.api])
            #expect(shown.code == 0)
            #expect(!shown.all.contains("swordfish"), "\(verb) shows the secret")
        }
        let stored = try Command.run("/bin/grep", ["-rla", "swordfish-77", platform.data.path + "/store.sqlite"])
        #expect(stored.code == 1, "the store holds the secret in plain: \(stored.output)")
    }

    @Test("an app at zero leaves no process behind, and starts again", .timeLimit(.minutes(5)))
    func scaleToZero() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        let applied = try platform.apply(Fixtures.app("sleepy", "scaling: {idleAfter: 500ms}"), in: directory)
        try #require(applied.code == 0, "\(applied.all)\n\(platform.log)")
        #expect(eventually(within: 20) { platform.runnerProcesses.isEmpty }, "the port check left a process")
        #expect(try platform.get("sleepy.default.localhost").headers["x-meridian-temperature"] == "cold")
        #expect(!platform.runnerProcesses.isEmpty)
        #expect(eventually(within: 20) { platform.runnerProcesses.isEmpty }, "an idle runner was not stopped")
        #expect(try platform.get("sleepy.default.localhost").headers["x-meridian-temperature"] == "cold")
    }

    @Test("a failed build changes nothing that serves, and says what to do", .timeLimit(.minutes(5)))
    func failedBuild() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        try #require(try platform.apply(Fixtures.app("solid"), in: directory).code == 0, "\(platform.log)")
        try "int main(void) { return oops; }\n".write(
            toFile: directory.path + "/server/main.c",
            atomically: true,
            encoding: .utf8
        )
        let broken = try platform.apply(Fixtures.app("solid"), in: directory)
        #expect(broken.code == 1)
        #expect(broken.all.contains("oops"), "the compiler's words are shown: \(broken.all)")
        let answer = try platform.get("solid.default.localhost")
        #expect(answer.status == 200)
        #expect(answer.headers["x-meridian-revision"] == "solid-00001")
        let conditions = try platform.meridian("get", "app", "solid")
        #expect(conditions.output.contains("False"))
        #expect(try platform.meridian("logs", "solid", "--build").output.contains("oops"))
    }

    @Test("a deleted app is gone with its runners, revisions and routes", .timeLimit(.minutes(5)))
    func deletion() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        try #require(try platform.apply(Fixtures.app("brief"), in: directory).code == 0, "\(platform.log)")
        #expect(try platform.get("brief.default.localhost").status == 200)
        let deleted = try platform.meridian("delete", "app", "brief")
        #expect(deleted.code == 0, "\(deleted.all)\n\(platform.log)")
        #expect(eventually(within: 20) { platform.runnerProcesses.isEmpty })
        #expect(try platform.get("brief.default.localhost").status == 404)
        #expect(try !platform.meridian("get", "revisions").output.contains("brief"))
    }

    @Test("what a program prints reaches logs", .timeLimit(.minutes(5)))
    func logs() throws {
        let platform = try Platform()
        let directory = try Fixtures.serverDirectory()
        try #require(
            try platform.apply(Fixtures.app("chatty", "env: {WORD: parrot}"), in: directory).code == 0,
            "\(platform.log)"
        )
        #expect(try platform.get("chatty.default.localhost").status == 200)
        let seen = try eventually(within: 10) {
            try platform.meridian("logs", "chatty").output.contains("listening with word=parrot")
        }
        #expect(seen)
    }

    /// The store's revision once nothing has been written for two seconds.
    private func settledRevision(of platform: Platform) throws -> String {
        var last = try storeRevision(of: platform)
        var since = Date()
        let isSettled = try eventually(within: 60) {
            let now = try storeRevision(of: platform)
            if now != last { (last, since) = (now, Date()) }
            return Date().timeIntervalSince(since) > 2
        }
        #expect(isSettled, "the store is written to although nothing happens")
        return last
    }

    /// The store's revision, as a list of nothing carries it.
    private func storeRevision(of platform: Platform) throws -> String {
        let answer = try Command.run(
            "/usr/bin/curl",
            ["-sS", platform.api + "/apis/meridian.dev/v1/namespaces/none/apps"]
        )
        let list = try JSONDecoder().decode(ListHead.self, from: Data(answer.output.utf8))
        return list.metadata.resourceVersion
    }

    private struct ListHead: Decodable {
        struct Metadata: Decodable { let resourceVersion: String }
        let metadata: Metadata
    }
}
