// GitOpsTests: pushes to a real repository through store, API, loop and Git, to converged objects.
import MeridianContent
import MeridianControl
import MeridianModel
import MeridianPorts
import MeridianStore
import Testing

@testable import MeridianControlPlane

@Suite("A push, end to end", .serialized)
struct GitOpsTests {
    @Test("a push builds and rolls the app; another one rolls it again; what left is pruned")
    func push() async throws {
        let platform = try await GitPlatform()
        let first = try platform.push([
            "deploy/shop.yaml": shopManifest, "deploy/src/main.c": "1",
            "deploy/s.yaml": split("shop", host: "shop.example"),
        ])
        try await platform.running {
            try await platform.source(["path": "deploy", "prune": ["enabled": true]])
            try await platform.waitForApplied(first)
            try await platform.wait("the first revision") { _ in
                try await platform.read(App.self, "shop", namespace: "default")?.status.servingRevision == "shop-00001"
            }
            let second = try platform.push(["deploy/src/main.c": "2", "deploy/s.yaml": nil])
            try await platform.waitForApplied(second)
            try await platform.wait("the second revision") { _ in
                try await platform.read(App.self, "shop", namespace: "default")?.status.servingRevision == "shop-00002"
            }
            #expect(try await platform.names(of: "TrafficSplit") == [])
            let events = try await platform.store.snapshot(kinds: ["Event"]).records
            #expect(events.count { $0.value["reason"]?.string == "CommitApplied" } == 2)
        }
    }

    @Test("force-push, rewritten history, deleted branch, broken commits in a row: the last good state stays")
    func hardDays() async throws {
        let platform = try await GitPlatform()
        let first = try platform.push(["fra.yaml": region("fra"), "ams.yaml": region("ams")])
        try await platform.running {
            try await platform.source(["prune": ["enabled": true, "protectedKinds": []]])
            try await platform.waitForApplied(first)
            for attempt in 0..<3 {
                let broken = try platform.push([
                    "ams.yaml": "metadata: [\(attempt)\n", "fra.yaml": region("fra", latitude: 10 + attempt),
                ])
                try await platform.wait("the problem") {
                    $0.lastSeenCommit == broken && $0.problems.first?.file == "ams.yaml"
                        && $0.problems.first?.line ?? 0 > 0
                }
                #expect(try await platform.names(of: "Region") == ["ams", "fra"])
            }
            try platform.git("reset --quiet --hard \(first)")
            let forced = try platform.push(["fra.yaml": nil])
            try await platform.waitForApplied(forced)
            #expect(try await platform.names(of: "Region") == ["ams"])
            try platform.git("checkout --quiet --orphan fresh")
            let fresh = try platform.push(["ams.yaml": region("ams", latitude: 5), "nrt.yaml": region("nrt")])
            try platform.git("branch --force main fresh")
            try await platform.waitForApplied(fresh)
            #expect(try await platform.names(of: "Region") == ["ams", "nrt"])
            try platform.git("branch --quiet -D main")
            try await platform.wait("the missing branch") { $0.conditions.condition("Fetched")?.reason == "RefMissing" }
            #expect(try await platform.names(of: "Region") == ["ams", "nrt"])
            try platform.git("branch main fresh")
            try await platform.wait("the branch again") { $0.conditions.holds("Ready") }
        }
    }

    @Test("a repository that was emptied by mistake prunes nothing; drift is healed")
    func emptied() async throws {
        let platform = try await GitPlatform()
        var files: [String: String?] = ["README.md": "the platform\n"]
        for number in 0..<20 { files["r/\(number).yaml"] = region("r\(number)") }
        let first = try platform.push(files)
        try await platform.running {
            try await platform.source(["prune": ["enabled": true, "protectedKinds": []]])
            try await platform.waitForApplied(first)
            for number in 0..<20 { files["r/\(number).yaml"] = .some(nil) }
            let emptied = try platform.push(files)
            try await platform.wait("the refusal") {
                $0.lastSeenCommit == emptied && $0.conditions.condition("Applied")?.reason == "PruneRefused"
            }
            #expect(try await platform.names(of: "Region").count == 20)
            try platform.git("revert --no-edit HEAD")
            let restored = try platform.git("rev-parse HEAD")
            try await platform.waitForApplied(restored)
            try await platform.apply([
                "apiVersion": "meridian.dev/v1", "kind": "Region", "metadata": ["name": "r3"],
                "spec": ["location": ["latitude": 77, "longitude": 2]],
            ])
            try await platform.wait("the healing") { _ in
                try await platform.read(Region.self, "r3")?.spec.location?.latitude == 1
            }
        }
    }

    @Test(
        "a sealed Secret in Git is applied, opens inside, and never drifts; one that was copied is a problem of its file"
    )
    func sealedSecret() async throws {
        let platform = try await GitPlatform()
        let key = try #require(platform.sealing.keyring.current).key.publicKey
        func manifest(_ name: String, _ text: String) -> String {
            "apiVersion: meridian.dev/v1\nkind: Secret\nmetadata: {name: \(name)}\nsealed: {TOKEN: \"\(text)\"}\n"
        }
        let text = try key.seal(Array("hunter2".utf8), for: "Secret/default/db/TOKEN")
        let first = try platform.push(["db.yaml": manifest("db", text)])
        try await platform.running {
            try await platform.source()
            try await platform.waitForApplied(first)
            let secret = try #require(try await platform.read(Secret.self, "db", namespace: "default"))
            #expect(secret.sealed == ["TOKEN": text])
            #expect(try platform.sealing.open(text, for: "Secret/default/db/TOKEN") == "hunter2")
            let second = try platform.push(["fra.yaml": region("fra")])
            try await platform.waitForApplied(second)
            let source = try #require(try await platform.read(GitSource.self, "shop"))
            #expect(source.status.drift.isEmpty)
            #expect(try await platform.read(Secret.self, "db", namespace: "default")?.metadata.generation == 1)

            let copied = try platform.push(["copy.yaml": manifest("copy", text)])
            try await platform.wait("the problem") {
                $0.lastSeenCommit == copied && $0.problems.contains { $0.message.contains("another namespace, name") }
            }
            #expect(try await platform.read(Secret.self, "copy", namespace: "default") == nil)
        }
    }

    @Test("a webhook counts with the right signature alone, in the form of each host")
    func webhook() async throws {
        let platform = try await GitPlatform()
        let first = try platform.push(["fra.yaml": region("fra")])
        try await platform.apply([
            "apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "hook", "namespace": "default"],
            "stringData": ["token": "It's a Secret to Everybody"],
        ])
        let hooks = GitHooks(reconciler: platform.reconciler, store: platform.store, sealing: platform.sealing)
        // GitHub's own example of a signature.
        let signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        let body = Array("Hello, World!".utf8)
        func announce(_ proof: PushAnnouncement.Proof, to source: String = "shop", _ body: [UInt8]) async throws -> Bool
        {
            try await hooks.announce(PushAnnouncement(source: source, proof: proof, body: body))
        }
        try await platform.running {
            try await platform.source(["interval": "1h"])
            try await platform.waitForApplied(first)
            #expect(try await !announce(.hmac(signature), body))
            try await platform.source(["interval": "1h", "webhook": ["name": "hook"]])
            #expect(try await announce(.hmac(signature), body))
            #expect(try await announce(.hmac(signature.uppercased()), body))
            #expect(try await announce(.token("It's a Secret to Everybody"), body))
            #expect(try await !announce(.hmac(signature), Array("Hello, World?".utf8)))
            #expect(try await !announce(.hmac(String(signature.dropLast())), body))
            #expect(try await !announce(.hmac(""), body))
            #expect(try await !announce(.token("It's a Secret to Everybod"), body))
            #expect(try await !announce(.token(""), body))
            #expect(try await !announce(.hmac(signature), to: "other", body))
            try await platform.wait("rest") { $0.conditions.holds("Ready") && $0.appliedCommit == first }
            let second = try platform.push(["fra.yaml": region("fra", latitude: 2)])
            #expect(try await announce(.hmac(signature), body))
            try await platform.waitForApplied(second)
        }
    }

    @Test("a thousand files converge within two seconds of the commit")
    func thousand() async throws {
        let platform = try await GitPlatform()
        let first = try platform.push(["README.md": "soon\n"])
        try await platform.running {
            try await platform.source(["interval": "1h"])
            try await platform.waitForApplied(first)
            var files: [String: String?] = [:]
            for number in 0..<1000 { files["s/\(number).yaml"] = split("s\(number)", host: "h\(number).example") }
            let commit = try platform.push(files)
            let start = ContinuousClock.now
            #expect(platform.reconciler.announcePush(to: ObjectKey(kind: "GitSource", name: "shop")))
            try await platform.waitForApplied(commit)
            let elapsed = ContinuousClock.now - start
            print("a thousand files, from the announced commit to applied: \(elapsed)")
            #expect(try await platform.names(of: "TrafficSplit").count == 1000)
            #if !DEBUG
                #expect(elapsed < .seconds(2))
            #endif
        }
    }
}
