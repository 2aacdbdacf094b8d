// ApplyTests: `apply`, `diff` and `plan` against a platform in memory.

import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian apply, diff and plan")
struct ApplyTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder([
            "app.yaml": """
            apiVersion: meridian.dev/v1
            kind: TrafficSplit
            metadata: {name: hello}
            spec: {app: hello, hosts: [hello.localhost], backends: [{revision: latest, weight: 100}]}
            ---
            apiVersion: meridian.dev/v1
            kind: App
            metadata: {name: hello}
            spec: {source: {path: hello}, env: {GREETING: hi}}
            ---
            apiVersion: meridian.dev/v1
            kind: Secret
            metadata: {name: db}
            stringData: {password: tell-nobody}
            ---
            apiVersion: meridian.dev/v1
            kind: Region
            metadata: {name: fra}
            """,
            "hello/main.c": "int main(void) { return 0; }\n",
            "hello/.env": "SECRET=1\n",
        ])
    }

    private var file: String { "\(folder.path)/app.yaml" }

    @Test("objects are applied in order, told one by one, and the source is uploaded once")
    func order() async {
        let platform = FakePlatform()
        let first = await CommandRun(["apply", "-f", file], on: platform)
        #expect(first.code == 0)
        #expect(
            first.output == "region/fra created\nsecret/db created\napp/hello created\ntrafficsplit/hello created\n"
        )
        #expect(platform.uploads.count == 1)
        let second = await CommandRun(["apply", "-f", file], on: platform)
        #expect(
            second.output
                == "region/fra unchanged\nsecret/db unchanged\napp/hello unchanged\ntrafficsplit/hello unchanged\n"
        )
    }

    @Test("the digest of the source reaches the object, and changed source changes it")
    func digest() async throws {
        let platform = FakePlatform()
        let key = ObjectKey(kind: "App", namespace: "default", name: "hello")
        _ = await CommandRun(["apply", "-f", file], on: platform)
        let path = FieldPath("spec", "source", "digest")
        #expect(try await platform.object(key)?[path]?.string == platform.uploads.first?.description)
        try folder.write("hello/main.c", "int main(void) { return 1; }\n")
        let run = await CommandRun(["apply", "-f", file], on: platform)
        #expect(run.output.contains("app/hello configured\n"))
        #expect(try await platform.object(key)?[path]?.string == platform.uploads.last?.description)
    }

    @Test("with one error in the manifests nothing is sent")
    func nothingSent() async throws {
        try folder.write("broken.yaml", manifest("Region", "spec: {nope: 1}", name: "x"))
        let platform = FakePlatform()
        let run = await CommandRun(["apply", "-f", folder.path], on: platform)
        #expect(run.code == 1)
        #expect(run.output == "")
        #expect(run.errors.contains("broken.yaml:4:8: unknown field \"spec.nope\""))
        #expect(
            run.errors.hasSuffix(
                "error: the manifests: have 1 error, listed above; nothing was sent. Mend them first\n"
            )
        )
        #expect(try await platform.list(ObjectQuery(kind: knownKind("regions"))).items.isEmpty)
        #expect(platform.uploads.isEmpty)
    }

    @Test("a dry run at the client prints what would be sent, without secrets and without a server")
    func clientDryRun() async {
        let run = await CommandRun(["apply", "-f", file, "--dry-run=client"])
        #expect(run.code == 0)
        #expect(run.output.contains("digest: sha256:"))
        #expect(run.output.contains("password: (hidden)"))
        #expect(!run.output.contains("tell-nobody"))
        let names = await CommandRun(["apply", "-f", file, "--dry-run=client", "-o", "name"])
        #expect(names.output == "region/fra\nsecret/db\napp/hello\ntrafficsplit/hello\n")
    }

    @Test("a dry run at the server writes and uploads nothing")
    func serverDryRun() async throws {
        let platform = FakePlatform()
        let run = await CommandRun(["apply", "-f", file, "--dry-run=server"], on: platform)
        #expect(run.output.hasPrefix("region/fra created (dry run)\n"))
        #expect(platform.uploads.isEmpty)
        #expect(try await platform.list(ObjectQuery(kind: knownKind("apps"))).items.isEmpty)
    }

    @Test("-o prints the applied objects and nothing else on standard output")
    func documents() async throws {
        let run = await CommandRun(["apply", "-f", file, "-o", "json"], on: FakePlatform())
        let list = try JSONValue(parsing: run.output)
        #expect(
            list["items"]?.array?.map(objectReference) == [
                "region/fra", "secret/db", "app/hello", "trafficsplit/hello",
            ]
        )
    }

    @Test("a refusal of the server names the manifest's place and what was applied before")
    func refused() async {
        let platform = FakePlatform()
        platform.update { $0.refusal = ControlPlaneError(status: 503, message: "the store is full. Free some space") }
        let run = await CommandRun(["apply", "-f", file], on: platform)
        #expect(run.code == 1)
        #expect(
            run.errors == """
                error: \(file):16:1: region/fra: the store is full. Free some space. 0 of 4 objects were applied before

                """
        )
    }

    @Test("a field that another owns is a conflict that says whose it is and what to do; --force-conflicts takes it")
    func conflicts() async throws {
        let platform = FakePlatform()
        try folder.write("fra.yaml", manifest("Region", "spec: {fallback: [ams]}", name: "fra"))
        let other = ["apply", "-f", "\(folder.path)/fra.yaml"]
        #expect(await CommandRun(other + ["--field-manager", "ops"], on: platform).code == 0)
        try folder.write("fra.yaml", manifest("Region", "spec: {fallback: [ber]}", name: "fra"))
        let refused = await CommandRun(other, on: platform)
        #expect(refused.code == 1)
        #expect(
            refused.errors.hasSuffix(
                """
                error: \(folder.path)/fra.yaml:1:1: region/fra: would change a field that another owns:
                  spec.fallback is owned by "ops"
                Leave them out of the manifest, or take them with --force-conflicts. 0 of 1 objects were applied before

                """
            )
        )
        let different = await CommandRun(["diff", "-f", "\(folder.path)/fra.yaml"], on: platform)
        #expect(different.code == 1 && different.output.contains("+  - ber"))
        let forced = await CommandRun(other + ["--force-conflicts"], on: platform)
        #expect(forced.output == "region/fra configured\n")
    }

    @Test("a field that is removed from the manifest is removed from the object")
    func removed() async throws {
        let platform = FakePlatform()
        try folder.write("fra.yaml", manifest("Region", "spec: {aliases: [x], nodes: [n]}", name: "fra"))
        _ = await CommandRun(["apply", "-f", "\(folder.path)/fra.yaml"], on: platform)
        try folder.write("fra.yaml", manifest("Region", "spec: {aliases: [x]}", name: "fra"))
        _ = await CommandRun(["apply", "-f", "\(folder.path)/fra.yaml"], on: platform)
        let shown = await CommandRun(["get", "region", "fra", "-o", "yaml"], on: platform)
        #expect(!shown.output.contains("nodes") && !shown.output.contains("managedFields"))
        let owned = await CommandRun(["get", "region", "fra", "-o", "yaml", "--show-managed-fields"], on: platform)
        #expect(owned.output.contains("manager: meridian"))
    }

    @Test("diff says what an allowlist's change adds and removes in syscalls, also where an app gets another one")
    func allowlistDiff() async throws {
        let folder = try TestFolder()
        func list(_ spec: String) -> String {
            "apiVersion: meridian.dev/v1\nkind: SyscallAllowlist\nmetadata: {name: own}\nspec: \(spec)\n"
        }
        func app(_ list: String) -> String {
            "apiVersion: meridian.dev/v1\nkind: App\nmetadata: {name: a}\n"
                + "spec: {source: {executable: \"sha256:\(String(repeating: "0", count: 64))\"}, syscalls: \(list)}\n"
        }
        let platform = FakePlatform()
        let all = "groups: [process, memory, signals, time, io, files, net]"
        let file = "\(folder.path)/own.yaml"
        try folder.write("own.yaml", list("{\(all), allow: [ptrace], deny: [fork]}"))
        let new = await CommandRun(["diff", "-f", file], on: platform)
        #expect(new.output.hasSuffix("\n# syscalls against web-default: +ptrace -fork\n"), "\(new.output)\(new.errors)")
        try folder.write("app.yaml", app("web-default"))
        #expect(await CommandRun(["apply", "-f", folder.path], on: platform).code == 0)
        try folder.write("own.yaml", list("{\(all), allow: [keyctl, ptrace]}"))
        let listed = await CommandRun(["diff", "-f", file], on: platform)
        #expect(listed.output.hasSuffix("\n# syscalls: +fork +keyctl\n"), "\(listed.output)")
        try folder.write("app.yaml", app("own"))
        let alone = await CommandRun(["diff", "-f", "\(folder.path)/app.yaml"], on: platform)
        #expect(alone.output.hasSuffix("\n# syscalls of the app: +ptrace -fork\n"), "\(alone.output)")
        let together = await CommandRun(["diff", "-f", folder.path], on: platform)
        #expect(together.output.contains("\n# syscalls of the app: +keyctl +ptrace\n"), "\(together.output)")
        try folder.write("own.yaml", list("{\(all), allow: [ptrace], deny: [fork], onDenied: kill}"))
        let same = await CommandRun(["diff", "-f", file], on: platform)
        #expect(same.code == 1 && !same.output.contains("# syscalls"), "\(same.output)")
    }

    @Test("diff exits 1 with the changes, 0 without, 2 after an error")
    func diff() async throws {
        let platform = FakePlatform()
        let all = await CommandRun(["diff", "-f", file], on: platform)
        #expect(all.code == 1)
        #expect(all.output.contains("+++ applied/App/default/hello"))
        #expect(!all.output.contains("tell-nobody"))
        _ = await CommandRun(["apply", "-f", file], on: platform)
        let same = await CommandRun(["diff", "-f", file], on: platform)
        #expect((same.code, same.output) == (0, ""))
        let other = text(of: file)?.replacing("GREETING: hi", with: "GREETING: hello")
        try folder.write("app.yaml", other ?? "")
        let changed = await CommandRun(["diff", "-f", file], on: platform)
        #expect(changed.code == 1)
        #expect(changed.output.contains("-    GREETING: hi\n+    GREETING: hello\n"))
        #expect(await CommandRun(["diff", "-f", file]).code == 2)
        #expect(await CommandRun(["diff", "-f", "/nowhere.yaml"], on: platform).code == 2)
    }

    @Test("plan shows the steps and waits that the server names; exit 0, 2, 1")
    func plan() async {
        let platform = FakePlatform()
        let idle: JSONValue = ["text": "write status", "object": "App/default/a", "why": "it changed"]
        let new: JSONValue = [
            "text": "create revision hello-00001", "object": "App/default/hello", "why": "the app is new",
        ]
        let wait: JSONValue = ["object": "App/default/hello", "text": "hello-00001 takes over later"]
        platform.update { $0.plans = (["steps": [new], "waiting": [wait]], ["steps": [idle]]) }
        let run = await CommandRun(["plan", "-f", file], on: platform)
        #expect(run.code == 2)
        #expect(
            run.output == """
                App/default/hello
                  create revision hello-00001, because the app is new
                App/default/hello waits: hello-00001 takes over later
                1 step to take.

                """
        )
        platform.update { $0.plans.with = ["steps": []] }
        let nothing = await CommandRun(["plan", "-f", file], on: platform)
        #expect((nothing.code, nothing.output) == (0, "Nothing to do.\n"))
        #expect(await CommandRun(["plan"], on: platform).code == 2)
        let json = await CommandRun(["plan", "-o", "json"], on: platform)
        #expect((try? JSONValue(parsing: json.output))?["steps"]?.array?.first?["text"] == "write status")
        #expect(await CommandRun(["plan", "-f", file]).code == 1)
        #expect(platform.uploads.isEmpty)
    }
}
