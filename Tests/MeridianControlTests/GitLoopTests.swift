// GitLoopTests: commits through the loop: applied, pruned, refused, healed, retried, remembered.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts
import MeridianStore
import Testing

@Suite("A GitSource in the loop")
struct GitLoopTests {
    @Test("a commit is applied and recorded; the next one changes and prunes; then nothing is written")
    func commits() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1, "ams": 1, "nrt": 1])
        try await git.source()
        try await git.settle(loop)
        #expect(git.writer.takeLog() == ["apply ams", "apply fra", "apply nrt"])
        #expect(try await git.condition("Ready") == "True Applied")
        #expect(try await git.status()?.inventory.map(\.name) == ["ams", "fra", "nrt"])
        #expect(try await git.status()?.inventory.allSatisfy { !$0.uid.isEmpty && $0.generation == 1 } == true)
        git.push("b", ["fra": 2, "ams": 1])
        try await git.settle(loop)
        #expect(git.writer.takeLog() == ["apply fra", "delete nrt"])
        #expect(try await git.status()?.appliedCommit == String(repeating: "b", count: 40))
        #expect(try await git.regions() == ["ams", "fra"])
        let events = try await git.stage.events().filter { $0.reason == "CommitApplied" }
        #expect(events.count == 2)
        let revision = try await git.stage.store.snapshot(kinds: []).revision
        try await git.settle(loop)
        #expect(git.writer.takeLog() == [])
        #expect(try await git.stage.store.snapshot(kinds: []).revision == revision)
    }

    @Test("a failed fetch leaves everything, is said, and is tried again later and later")
    func failedFetch() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1])
        try await git.source()
        try await git.settle(loop)
        git.git.answer(.failure(GitError(.refMissing, "there is no \"main\"")))
        try await git.settle(loop)
        #expect(try await git.condition("Fetched") == "False RefMissing")
        #expect(try await git.condition("Ready") == "False RefMissing")
        #expect(try await git.regions() == ["fra"])
        #expect(try await git.status()?.appliedCommit == String(repeating: "a", count: 40))
        let looks = git.git.requests.count
        // Nine hundred milliseconds after the first failure it is left alone.
        try await git.settle(loop, after: .milliseconds(900))
        #expect(git.git.requests.count == looks)
        try await git.settle(loop, after: .seconds(1))
        #expect(git.git.requests.count == looks + 1)
        git.push("b", ["fra": 2])
        try await git.settle(loop)
        #expect(try await git.condition("Ready") == "True Applied")
    }

    @Test("a file with a problem removes nothing and holds nothing else up; several in a row do not either")
    func brokenFiles() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1, "ams": 1])
        try await git.source()
        try await git.settle(loop)
        _ = git.writer.takeLog()
        for (commit, content) in [("b", 2), ("c", 3)] as [(Character, Int)] {
            let problem = GitProblem(
                file: "ams.yaml",
                line: 3,
                column: 7,
                message: "mapping values are not allowed here"
            )
            git.push(commit, ["fra": content], problems: [problem])
            try await git.settle(loop)
            #expect(git.writer.takeLog() == ["apply fra"])
            #expect(try await git.condition("Applied") == "False ProblemsFound")
            #expect(try await git.status()?.lastSeenCommit == String(repeating: commit, count: 40))
            #expect(try await git.status()?.appliedCommit == String(repeating: "a", count: 40))
            let message = try await git.status()?.conditions.condition("Ready")?.message
            #expect(message?.contains("ams.yaml:3:7: mapping values") == true)
        }
        #expect(try await git.regions() == ["ams", "fra"])
        git.push("d", ["fra": 3])
        try await git.settle(loop)
        #expect(try await git.regions() == ["fra"])
        #expect(try await git.condition("Ready") == "True Applied")
    }

    @Test("under atomic one object that is refused lets none be applied")
    func atomic() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1, "ams": 1])
        git.writer.refuse("ams", ObjectWriteError(.invalid, "Region \"ams\" is invalid"))
        try await git.source { $0.atomic = true }
        try await git.settle(loop)
        #expect(try await git.regions() == [])
        #expect(try await git.condition("Applied") == "False ApplyFailed")
        git.writer.refuse("ams", nil)
        try await git.settle(loop)
        #expect(try await git.regions() == ["ams", "fra"])
    }

    @Test("one object that is refused does not hold up the others; it is tried again")
    func refusedObject() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1, "ams": 1])
        git.writer.refuse("ams", ObjectWriteError(.invalid, "latitude: must be less than 90"))
        try await git.source()
        try await git.settle(loop)
        #expect(try await git.regions() == ["fra"])
        #expect(try await git.status()?.problems.first?.text.hasPrefix("ams.yaml:1:1: Region/ams: latitude") == true)
        git.writer.refuse("ams", nil)
        try await git.settle(loop)
        #expect(try await git.regions() == ["ams", "fra"])
        #expect(try await git.status()?.problems == [])
    }

    @Test("a repository that was emptied by mistake prunes nothing, until that very commit is approved")
    func emptied() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        var regions: [String: Int] = [:]
        for number in 0..<40 { regions["r\(number)"] = 1 }
        git.push("a", regions)
        try await git.source()
        try await git.settle(loop)
        git.push("b", [:])
        try await git.settle(loop)
        #expect(try await git.regions().count == 40)
        #expect(try await git.condition("Applied") == "False PruneRefused")
        let message = try await git.status()?.conditions.condition("Applied")?.message
        #expect(message?.contains("40 objects would be deleted; at most 10") == true)
        try await git.source { $0.prune.approvedCommit = String(repeating: "b", count: 40) }
        try await git.settle(loop)
        #expect(try await git.regions() == [])
        #expect(try await git.status()?.inventory == [])
    }

    @Test("what somebody changed is healed at once, or reported and left")
    func drift() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1])
        try await git.source()
        try await git.settle(loop)
        _ = git.writer.takeLog()
        try await touch(git, latitude: 9)
        try await git.settle(loop, after: .zero)
        #expect(git.writer.takeLog() == ["apply fra"])
        #expect(try await git.stage.events().contains { $0.reason == "DriftHealed" })
        try await git.source { $0.drift = .report }
        try await git.settle(loop)
        try await touch(git, latitude: 9)
        try await git.settle(loop, after: .zero)
        #expect(git.writer.takeLog() == [])
        #expect(try await git.condition("Drifted") == "True Differs")
        #expect(try await git.status()?.drift.first?.fields == ["spec.location.latitude"])
        try await touch(git, latitude: 1)
        try await git.settle(loop, after: .zero)
        #expect(try await git.condition("Drifted") == "False InSync")
    }

    private func touch(_ git: GitStage, latitude: Double) async throws {
        var region = try #require(try await git.stage.read(Region.self, "fra", namespace: ""))
        region.spec.location?.latitude = latitude
        region.metadata.generation += 1
        try await git.stage.store.commit([.put(region.key, region.encoded(), .any)])
    }

    @Test("a new loop knows from the record what is its own, and deletes nothing before it has looked")
    func restart() async throws {
        let git = GitStage()
        git.push("a", ["fra": 1, "ams": 1])
        try await git.source()
        try await git.settle(git.reconciler())
        _ = git.writer.takeLog()
        git.git.answer(.failure(GitError(.fetchFailed, "no route to host")))
        let second = git.reconciler()
        try await git.settle(second)
        #expect(try await git.regions() == ["ams", "fra"])
        git.push("b", ["fra": 1])
        try await git.settle(second)
        #expect(git.writer.takeLog() == ["delete ams"])
    }

    @Test("nothing is fetched or applied while the source is suspended; an announced push is looked at at once")
    func suspendAndAnnounce() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        git.push("a", ["fra": 1])
        try await git.source { $0.suspend = true }
        try await git.settle(loop)
        #expect(git.git.requests.isEmpty)
        #expect(try await git.condition("Ready") == "False Suspended")
        try await git.source { $0.interval = .seconds(3600) }
        try await git.settle(loop)
        #expect(try await git.regions() == ["fra"])
        git.push("b", ["fra": 1, "ams": 1])
        try await git.settle(loop)
        #expect(try await git.regions() == ["fra"])
        #expect(loop.announcePush(to: GitStage.key))
        try await git.settle(loop, after: .zero)
        #expect(try await git.regions() == ["ams", "fra"])
        #expect(!loop.announcePush(to: ObjectKey(kind: "GitSource", name: "nobody")))
    }

    @Test("an app with a repository of its own is built from it, and goes on with the last source when that is away")
    func appSource() async throws {
        let git = GitStage()
        let loop = git.reconciler()
        let tree = GitTree(commit: GitCommit(id: String(repeating: "c", count: 40)), source: digest(7))
        git.git.answer(tree: .success(tree))
        try await git.stage.apply("hello") {
            $0.spec.source = AppSource()
            var reference = GitReference()
            reference.url = "https://example.org/hello.git"
            $0.spec.source.git = reference
        }
        try await git.settle(loop)
        let app = try #require(try await git.stage.read(App.self, "hello"))
        #expect(app.status.sourceDigest == digest(7))
        #expect(app.status.servingRevision == "hello-00001")
        #expect(try await git.stage.read(Revision.self, "hello-00001")?.spec.template.source == digest(7))
        git.git.answer(tree: .failure(GitError(.fetchFailed, "no route to host")))
        try await git.settle(git.reconciler())
        let later = try #require(try await git.stage.read(App.self, "hello"))
        #expect(later.status.conditions.condition("Fetched")?.reason == "FetchFailed")
        #expect(later.status.servingRevision == "hello-00001")
        #expect(later.status.latestRevision == "hello-00001")
    }
}
