// GitOpsVerbsTests: `drift`, `export`, `plan --git` and `apply --prune` against a platform in memory.

import Glibc
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian drift, export, plan --git and apply --prune")
struct GitOpsVerbsTests {
    private func region(_ name: String, latitude: Int = 1) -> String {
        """
        apiVersion: meridian.dev/v1
        kind: Region
        metadata: {name: \(name)}
        spec: {location: {latitude: \(latitude), longitude: 2}}

        """
    }

    private func split(_ name: String) -> String {
        """
        apiVersion: meridian.dev/v1
        kind: TrafficSplit
        metadata: {name: \(name)}
        spec: {app: shop, hosts: [\(name).example], backends: [{revision: latest, weight: 100}]}

        """
    }

    private func source(drift: [JSONValue], owned: [String] = [], prunes: Bool = false) -> JSONValue {
        [
            "apiVersion": "meridian.dev/v1", "kind": "GitSource", "metadata": ["name": "shop"],
            "spec": [
                "url": "https://example.org/x.git",
                "prune": ["enabled": .bool(prunes), "percentMax": 100, "protectedKinds": ["Secret"]],
            ],
            "status": [
                "appliedCommit": .string(String(repeating: "a", count: 40)), "drift": .array(drift),
                "inventory": .array(owned.map { ["kind": "Region", "name": .string($0)] }),
                "conditions": [
                    ["type": "Drifted", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"]
                ],
            ],
        ]
    }

    @Test("drift lists what differs; exit 0, 1, 2")
    func drift() async {
        let platform = FakePlatform()
        platform.put(source(drift: []))
        let none = await CommandRun(["drift"], on: platform)
        #expect((none.code, none.output) == (0, "gitsource/shop (aaaaaaaaaaaa applied): nothing differs\n"))
        let drifted: JSONValue = [
            "kind": "App", "namespace": "default", "name": "shop", "fields": ["spec.scaling.min"],
            "message": "was changed elsewhere",
        ]
        platform.put(source(drift: [drifted]))
        let some = await CommandRun(["drift", "shop"], on: platform)
        #expect(some.code == 1)
        #expect(some.output.contains("  App/default/shop was changed elsewhere: spec.scaling.min\n"))
        #expect(await CommandRun(["drift", "nobody"], on: platform).code == 2)
        #expect(await CommandRun(["drift"]).code == 2)
    }

    @Test("what export prints diffs to nothing, and holds neither status nor defaults nor values of Secrets")
    func export() async throws {
        let platform = FakePlatform()
        let folder = try TestFolder([
            "all.yaml": region("fra") + "---\n" + split("shop") + """
                ---
                apiVersion: meridian.dev/v1
                kind: App
                metadata: {name: shop, labels: {tier: web}}
                spec: {source: {path: ./src}, requestTimeout: 30s, scaling: {min: 0, max: 3}}
                ---
                apiVersion: meridian.dev/v1
                kind: Secret
                metadata: {name: db}
                stringData: {PASSWORD: hunter2}

                """,
            "src/main.c": "int main() {}\n",
        ])
        #expect(await CommandRun(["apply", "-f", "\(folder.path)/all.yaml"], on: platform).code == 0)
        let exported = await CommandRun(["export", "-A"], on: platform)
        #expect(exported.code == 0)
        for noise in ["status:", "uid:", "generation:", "requestTimeout", "hunter2", "resourceVersion"] {
            #expect(!exported.output.contains(noise), "\(noise)")
        }
        #expect(exported.output.contains("max: 3"))
        let clean = try TestFolder(["export.yaml": exported.output])
        let diff = await CommandRun(["diff", "-f", "\(clean.path)/export.yaml"], on: platform)
        #expect((diff.code, diff.output) == (0, ""), "\(diff.errors)")
        let one = await CommandRun(["export", "region", "fra"], on: platform)
        #expect(one.output.hasPrefix("apiVersion: meridian.dev/v1\nkind: Region\nmetadata:\n  name: fra\n"))
        #expect(await CommandRun(["export", "region", "gone"], on: platform).code == 1)
        #expect(await CommandRun(["export", "revisions"], on: platform).code == 64)
    }

    @Test("apply --prune deletes what the owner applied before, within the bounds of a GitSource")
    func prune() async throws {
        let platform = FakePlatform()
        let folder = try TestFolder(["a.yaml": split("one") + "---\n" + split("two") + "---\n" + region("fra")])
        let file = "\(folder.path)/a.yaml"
        let apply = ["apply", "-f", file, "--owner", "shop"]
        #expect(await CommandRun(apply, on: platform).code == 0)
        platform.put([
            "apiVersion": "meridian.dev/v1", "kind": "TrafficSplit",
            "metadata": ["name": "foreign", "namespace": "default"],
            "spec": ["app": "shop", "hosts": ["f.example"], "backends": [["revision": "latest", "weight": 100]]],
        ])
        try folder.write("a.yaml", split("one"))
        let trial = await CommandRun(apply + ["--prune", "--allow-large-prune", "--dry-run", "server"], on: platform)
        #expect(trial.output.contains("trafficsplit/two pruned (dry run)"))
        let refused = await CommandRun(apply + ["--prune", "--prune-max", "0"], on: platform)
        #expect(refused.code == 1)
        #expect(refused.errors.contains("nothing was deleted"))
        let run = await CommandRun(apply + ["--prune"], on: platform)
        #expect(run.code == 0)
        #expect(run.output == "trafficsplit/one unchanged\ntrafficsplit/two pruned\n")
        // A Region is protected.
        #expect(run.errors.contains("region/fra is left"))
        #expect(platform.log == ["delete TrafficSplit/default/two"])
        #expect(await CommandRun(["apply", "-f", file, "--prune"], on: platform).code == 64)
    }

    @Test("plan --git shows what a merge changes as text, JSON and Markdown; exit 0, 1, 2")
    func planOfMerge() async throws {
        let folder = try TestFolder(["repo/deploy/a.yaml": region("fra"), "repo/deploy/b.yaml": region("ams")])
        let repository = "\(folder.path)/repo"
        func git(_ words: String) {
            let identity = "-c user.name=Anna -c user.email=anna@example.org"
            #expect(Glibc.system("cd \(repository) && git \(identity) \(words) >/dev/null 2>&1") == 0)
        }
        git("init --initial-branch main")
        git("add -A")
        git("commit -m one")
        git("checkout -b feature")
        try folder.write("repo/deploy/a.yaml", region("fra", latitude: 3))
        try folder.write("repo/deploy/c.yaml", region("nrt"))
        git("rm deploy/b.yaml")
        git("add -A")
        git("commit -m two")
        let platform = FakePlatform()
        let step: JSONValue = [
            "verb": "route", "object": "App/default/api", "text": "route x", "why": "routes changed",
        ]
        platform.update {
            $0.plans.with = ["summary": ["build api (cached)", "1 cold start expected"], "steps": [step]]
        }
        let words = ["plan", "--git", "main..feature", "--repository", repository, "--path", "deploy"]
        let text = await CommandRun(words, on: platform)
        #expect(text.code == 2, "\(text.errors)")
        #expect(
            text.output.hasPrefix("build api (cached) · 1 cold start expected\nchange Region/fra\ncreate Region/nrt\n")
        )
        #expect(text.output.contains("keep Region/ams is left: no GitSource answers for it\n"))
        platform.put(source(drift: [], owned: ["fra", "ams"], prunes: true))
        let json = try JSONValue(parsing: await CommandRun(words + ["-o", "json"], on: platform).output)
        let actions = json["changes"]?.array?.compactMap { $0["action"]?.string }
        #expect(actions == ["change", "create", "delete"])
        var context = DecodingContext()
        #expect(PlanDocument.decode(json, at: FieldPath(), &context) != nil, "\(context.problems)")
        let markdown = await CommandRun(words + ["-o", "markdown"], on: platform)
        #expect(markdown.output.hasPrefix("### Meridian plan for `main..feature`\n\n**build api (cached) · 1 cold"))
        #expect(markdown.output.contains("| delete | `Region/ams` |"))
        let same = await CommandRun(["plan", "--git", "main..main", "--repository", repository], on: platform)
        #expect((same.code, same.output) == (0, "Nothing to do.\n"))
        try folder.write("repo/deploy/a.yaml", "kind: [\n")
        git("commit -a -m broken")
        let broken = await CommandRun(words, on: platform)
        #expect(broken.code == 1)
        #expect(broken.output.contains("problem: deploy/a.yaml:"))
        #expect(broken.output.contains("keep Region/ams is left: the revision has files with problems"))
        let missing = await CommandRun(["plan", "--git", "main..gone", "--repository", repository], on: platform)
        #expect(missing.code == 1)
        #expect(missing.errors.contains("\"gone\" is no commit"))
        #expect(await CommandRun(["plan", "--git", "main"], on: platform).code == 64)
    }
}
