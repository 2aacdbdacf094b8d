// PlanSummaryTests: the effects of a change in a few words, without noise.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("The summary of a plan")
struct PlanSummaryTests {
    private func split(_ scene: inout Scene, _ backends: [SplitBackend]) -> TrafficSplit {
        scene.split("api", of: "api", hosts: ["api.example"], backends)
        return scene.world.splits["default/api"]?.object ?? TrafficSplit()
    }

    /// An app `api` that serves its first revision, with a runner, behind `api.example`.
    private func serving(min: Int) -> Scene {
        var scene = Scene()
        var fra = Region(metadata: Metadata(name: "fra"), spec: RegionSpec())
        fra.metadata.uid = "uid-fra"
        scene.world.regions.set(Stored(fra, modRevision: 1))
        scene.app("api", min: min) { $0.spec.regions.preferred = ["fra"] }
        _ = split(&scene, [SplitBackend(revision: "latest", weight: 100)])
        #expect(scene.settle() != nil)
        return scene
    }

    private func changed(_ scene: Scene, _ change: (inout App) -> Void) -> [String] {
        guard var app = scene.world.apps["default/api"]?.object else { return [] }
        change(&app)
        return predict(scene.world, adding: [app]).summary
    }

    @Test("a new source is built, started where it must be, and takes the host over")
    func newSource() {
        let summary = changed(serving(min: 2)) { $0.spec.source.digest = Scene.digest(2) }
        #expect(summary == ["build api", "start 2 runners in fra", "move 100 % of api.example → api-00002"])
    }

    @Test("a source that was built before comes from the cache; without runners a cold start is expected")
    func cached() {
        var scene = serving(min: 0)
        for source in [2, 1] {
            scene.app("api", source: source) { $0.spec.regions.preferred = ["fra"] }
            #expect(scene.settle() != nil)
        }
        let summary = changed(scene) { $0.spec.source.digest = Scene.digest(2) }
        #expect(summary == ["build api (cached)", "move 100 % of api.example → api-00004", "1 cold start expected"])
    }

    @Test("more runners are said with their region")
    func runners() {
        #expect(changed(serving(min: 1)) { $0.spec.scaling.min = 3 } == ["start 2 runners in fra"])
    }

    @Test("a share that moves is said by what it gains")
    func share() {
        var scene = serving(min: 0)
        scene.app("api", source: 2) { $0.spec.regions.preferred = ["fra"] }
        #expect(scene.settle() != nil)
        var changed = scene
        let split = split(
            &changed,
            [SplitBackend(revision: "latest", weight: 90), SplitBackend(revision: "api-00001", weight: 10)]
        )
        #expect(predict(scene.world, adding: [split]).summary == ["move 10 % of api.example → api-00001"])
    }

    @Test("an allowlist's change is said in the syscalls that it adds and removes, for the apps that have it")
    func allowlist() throws {
        var scene = Scene()
        var allowlist = SyscallAllowlist(metadata: Metadata(name: "own"), spec: .webDefault)
        allowlist.metadata.uid = "uid-own"
        scene.world.allowlists.set(Stored(allowlist, modRevision: 1))
        for name in ["api", "web"] { scene.app(name) { $0.spec.syscalls = "own" } }
        scene.app("other")
        #expect(scene.settle() != nil)
        allowlist.spec.groups.removeAll { $0 == .signals }
        allowlist.spec.allow = SyscallGroup.signals.syscalls.filter { $0 != "pause" } + ["ptrace"]
        let prediction = predict(scene.world, adding: [allowlist])
        #expect(prediction.summary.first == "syscalls of api, web: +ptrace -pause")
        let made = prediction.effects.filter { $0.verb == "make" }.map(\.text)
        #expect(made.contains("make revision default/web-00002 (syscalls +ptrace -pause)"))
        #expect(made.count == 2)
    }

    @Test("an allowlist that is written differently and permits the same is no change")
    func sameAllowlist() {
        var scene = Scene()
        scene.app("api")
        #expect(scene.settle() != nil)
        var allowlist = SyscallAllowlist(metadata: Metadata(name: "web-default"), spec: SyscallAllowlistSpec())
        allowlist.spec.allow = SyscallAllowlistSpec.webDefault.syscalls
        #expect(predict(scene.world, adding: [allowlist]).summary == [])
    }

    @Test("of many syscalls some are named and the rest is counted")
    func manySyscalls() {
        let names = (10..<40).map { "call\($0)" }
        #expect(SyscallChange(from: [], to: names).words(most: 2) == "+call10 +call11 and 28 more")
        #expect(SyscallChange(from: names, to: ["call10"]).removed.count == 29)
    }

    @Test("a rule that comes is said with what it matches, and one that goes as well")
    func rule() {
        let scene = serving(min: 0)
        var split = scene.world.splits["default/api"]?.object ?? TrafficSplit()
        var match = RequestMatch()
        match.pathPrefix = "/v2"
        split.spec.rules = [SplitRule([match], [SplitBackend(revision: "latest", weight: 100)])]
        #expect(predict(scene.world, adding: [split]).summary == ["route api.example (/v2) → api-00001"])
        var ruled = scene
        ruled.world.splits.set(Stored(split, modRevision: 7))
        #expect(ruled.settle() != nil)
        split.spec.rules = []
        #expect(predict(ruled.world, adding: [split]).summary == ["unroute api.example (/v2)"])
    }

    @Test("a mirror that comes is said, in the plan's effects with its share, and one that goes as well")
    func mirror() {
        let scene = serving(min: 0)
        var split = scene.world.splits["default/api"]?.object ?? TrafficSplit()
        split.spec.mirror = SplitBackend(app: "api", weight: 5)
        let coming = predict(scene.world, adding: [split])
        #expect(coming.summary == ["route api.example (mirror) → api-00001"])
        #expect(coming.effects.map(\.text).contains("mirror 5 % of api.example to api-00001"))
        var mirrored = scene
        mirrored.world.splits.set(Stored(split, modRevision: 7))
        #expect(mirrored.settle() != nil)
        split.spec.mirror = nil
        let going = predict(mirrored.world, adding: [split])
        #expect(going.summary == ["unroute api.example (mirror)"])
        #expect(going.effects.map(\.text).contains("unroute api.example (mirror)"))
    }

    @Test("what changes nothing outside the books has no summary")
    func nothing() { #expect(changed(serving(min: 1)) { $0.metadata.labels = ["a": "b"] } == []) }

    @Test("a split that goes leaves its host, and is said to go")
    func removed() {
        let scene = serving(min: 0)
        let key = ObjectKey(kind: "TrafficSplit", namespace: "default", name: "api")
        let summary = predict(scene.world, adding: [], removing: [key]).summary
        #expect(summary == ["unroute api.example", "delete trafficsplit/api"])
    }
}
