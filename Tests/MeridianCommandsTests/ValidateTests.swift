// ValidateTests: `meridian validate` over directories of right and wrong manifests.

import MeridianManifests
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian validate")
struct ValidateTests {
    @Test("every problem of every file is told in one run, sorted by file, line and column")
    func golden() async throws {
        let folder = try TestFolder([
            "a.yaml": """
            apiVersion: meridian.dev/v1
            kind: App
            metadata: {name: shop}
            spec:
              source: {path: ./shpo}
              regoins: {preferred: [fra]}
              scaling: {min: 5, max: 2000}
            ---
            apiVersion: meridian.dev/v2
            kind: Ap
            """,
            "b.yaml": "key: [1, 2\n",
            "c.json": #"{"apiVersion": "meridian.dev/v1", "kind": "Region", "metadata": {"name": "X"}}"#,
            "d.yaml": """
            apiVersion: meridian.dev/v1
            kind: App
            metadata: {name: shop}
            spec: {source: {path: d.yaml}, syscalls: tight}
            """,
            "shop/main.c": "int main(void) { return 0; }\n",
        ])
        let run = await CommandRun(["validate", "-f", folder.path])
        let shown = run.output.split(separator: "\n").map { $0.dropFirst(folder.path.count + 1) }
        #expect(run.code == 1)
        #expect(run.errors == "")
        #expect(
            shown
                == [
                    "a.yaml:5:18: spec.source.path: no directory \"./shpo\" (looked for \(folder.path)/shpo): did you mean \"shop\"?",
                    "a.yaml:6:3: unknown field \"spec.regoins\": did you mean \"regions\"?",
                    "a.yaml:7:26: spec.scaling.max: 2000 is out of range; give 1 to 1000",
                    "a.yaml:9:13: apiVersion: \"meridian.dev/v2\" is no version known here. Write apiVersion: meridian.dev/v1",
                    "a.yaml:10:7: kind: \"Ap\" is no kind known here: did you mean \"App\"?",
                    "b.yaml:2:1: did not find expected ',' or ']' while parsing a flow sequence that begins on line 1",
                    "c.json:1:74: metadata.name: \"X\" is not a name: use lower-case letters, digits and inner hyphens, at most 63 characters",
                    "d.yaml:3:18: metadata.name: App/default/shop is declared twice, first at \(folder.path)/a.yaml:3:18. Remove one",
                    "d.yaml:4:23: spec.source.path: \"d.yaml\" is a file, not a directory. Name the directory that holds the source",
                    """
                    d.yaml:4:42: warning: spec.syscalls: SyscallAllowlist "tight" is not declared in the given files. \
                    Add a SyscallAllowlist named tight or fix the name
                    """,
                ].map { Substring($0) }
        )
    }

    @Test("right manifests are counted, warnings do not fail, standard input is read")
    func valid() async throws {
        let folder = try TestFolder(["a.yaml": manifest("Region", "") + "---\n" + manifest("Secret", "")])
        let both = await CommandRun(["validate", "-f", folder.path])
        #expect((both.code, both.output) == (0, "2 objects in 1 file are valid\n"))
        let piped = await CommandRun(["validate", "-f", "-"], input: manifest("Region", "spec: {fallback: [y]}"))
        #expect(piped.code == 0)
        #expect(piped.output.hasPrefix("stdin:4:19: warning: spec.fallback[0]"))
        #expect(piped.output.hasSuffix("1 object in 1 file is valid\n"))
    }

    @Test("a missing file is an error with the next step; no file at all is a usage error")
    func missing() async {
        let run = await CommandRun(["validate", "-f", "/nowhere.yaml"])
        #expect((run.code, run.output) == (1, "/nowhere.yaml: no such file or directory. Check the path after -f\n"))
        let usage = await CommandRun(["validate"])
        #expect(usage.code == 64)
        #expect(usage.errors.contains("Name the manifests: -f FILE"))
    }

    @Test("1,000 apps are checked (the time is printed)")
    func thousand() throws {
        let texts = (0..<1000).map { number in
            manifest(
                "App",
                "spec: {source: {path: .}, env: {A: b}, scaling: {max: 3}, regions: {preferred: [local]}}",
                name: "app-\(number)"
            )
        }
        let bytes = Array(texts.joined(separator: "---\n").utf8)
        let clock = ContinuousClock()
        var count = 0
        let time = clock.measure {
            let typed = TypedManifests(ManifestText.read(bytes, file: "m.yaml"))
            count = typed.diagnostics.isEmpty ? typed.objects.count : 0
        }
        print("validate: 1,000 App manifests in \(shortText(time))")
        #expect(count == 1000)
    }
}
