// TypedManifestsTests: what is said of each wrong field of each kind, and that right ones are accepted.

import MeridianManifests
import MeridianModel
import Testing

/// The diagnostics of one manifest text, without the file's name.
func problems(_ text: String, checkingSources: Bool = false) -> [String] {
    let set = ManifestText.read(Array(text.utf8), file: "m.yaml")
    return TypedManifests(set, checkingSources: checkingSources).diagnostics.map {
        String($0.description.dropFirst("m.yaml:".count))
    }
}

/// A manifest of `kind` named x with `body` below.
func manifest(_ kind: String, _ body: String, name: String = "x") -> String {
    "apiVersion: meridian.dev/v1\nkind: \(kind)\nmetadata: {name: \(name)}\n\(body)\n"
}

@Suite("Typed manifests")
struct TypedManifestsTests {
    @Test(
        "the least and the most of every kind are accepted",
        arguments: [
            manifest("App", "spec: {source: {path: ./x}}"),
            manifest(
                "App",
                """
                spec:
                  source: {git: {url: "file:///srv/repo.git", ref: main, path: apps/x}}
                  build:
                    preset: command
                    command: make
                    output: out/x
                    assets: [public]
                    env: {CC: clang}
                    network: true
                    timeout: 5m
                    memory: 1Gi
                    portCheck: {timeout: 3s}
                  args: [--verbose]
                  env: {GREETING: hello}
                  resources: {memory: 128Mi, cpu: 250m, pids: 8, tmp: 1Mi}
                  files: {writable: true}
                  health: {path: /healthz, timeout: 1s}
                  requestTimeout: 1m
                  terminationGrace: 0s
                  scaling: {min: 1, max: 2, target: {concurrency: 5}, idleAfter: 500ms}
                  regions: {preferred: [LOCAL]}
                  syscalls: web-default
                """
            ),
            manifest("Region", ""),
            manifest(
                "Region",
                "spec: {location: {latitude: 50, longitude: 8.5}, aliases: [FRA], fallback: [], nodes: [n1]}"
            ),
            manifest(
                "SyscallAllowlist",
                "spec: {groups: [process, net], allow: [ptrace], deny: [fork], onDenied: errno}"
            ),
            manifest("Secret", "stringData: {key: value}"),
        ]
    )
    func accepted(_ text: String) { #expect(problems(text) == []) }

    @Test(
        "each broken rule is told at its place",
        arguments: [
            ("scaling: {min: 3, max: 2}", "spec.scaling.min: 3 is more than max, 2"),
            ("scaling: {max: 0}", "spec.scaling.max: 0 is out of range; give 1 to 1000"),
            ("scaling: {max: many}", "spec.scaling.max: expected a whole number, got string \"many\""),
            ("requestTimeout: 30", "spec.requestTimeout: expected a duration"),
            ("requestTimeout: 2h", "spec.requestTimeout: 2h is out of range"),
            ("resources: {memory: lots}", "spec.resources.memory: \"lots\" is not an amount of memory"),
            ("resources: {cpu: 1}", "spec.resources.cpu: expected an amount of processor time"),
            ("env: {PORT: \"80\"}", "spec.env: PORT is set by Meridian; remove it"),
            ("env: {DEBUG: true}", "spec.env.DEBUG: expected a string (put quotes around it), got boolean true"),
            ("build: {preset: gp}", "spec.build.preset: \"gp\" is not one of"),
            ("build: {preset: command}", "spec.build.command: required"),
            ("build: {output: ../x}", "spec.build.output: \"../x\" leaves the source"),
            ("health: {path: x}", "spec.health.path: \"x\" must begin with /"),
            ("syscalls: Web", "spec.syscalls: \"Web\" is not a name"),
            ("regoins: {}", "unknown field \"spec.regoins\": did you mean \"regions\"?"),
        ]
    )
    func brokenApp(_ field: String, _ problem: String) {
        let found = problems(manifest("App", "spec: {source: {path: ./x}, \(field)}"))
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("4:") == true && found.first?.contains(": \(problem)") == true, "\(found)")
    }

    @Test(
        "each broken rule of the other kinds is told",
        arguments: [
            ("Region", "spec: {location: {latitude: 91, longitude: 0}}", "91.0 is out of range"),
            ("Region", "spec: {location: {latitude: 9}}", "spec.location.longitude: required, but missing"),
            ("Region", "spec: {fallback: [x]}", "a region cannot turn to itself"),
            ("Region", "spec: {aliases: [local]}", "is the region that always exists"),
            ("SyscallAllowlist", "spec: {allow: [opnat]}", "unknown syscall \"opnat\"; did you mean \"open"),
            ("SyscallAllowlist", "spec: {groups: [netz]}", "did you mean \"net\"?"),
            ("SyscallAllowlist", "spec: {allow: [read], deny: [read]}", "\"read\" is in allow too"),
            ("Secret", "stringData: {key: 1}", "stringData.key: expected a string"),
            ("TrafficSplit", "spec: {app: x, hosts: [], backends: []}", "give at least one host"),
            ("TrafficSplit", "spec: {hosts: [a.b], backends: []}", "spec.app: required, but missing"),
        ]
    )
    func brokenOthers(_ kind: String, _ body: String, _ words: String) {
        #expect(problems(manifest(kind, body)).contains { $0.contains(words) }, "\(problems(manifest(kind, body)))")
    }

    @Test("weights, hosts and backends of a split are checked")
    func splits() {
        func split(_ backends: String, hosts: String = "[a.localhost]") -> String {
            manifest("TrafficSplit", "spec: {app: web, hosts: \(hosts), backends: [\(backends)]}")
                + "---\n" + manifest("App", "spec: {source: {path: .}}", name: "web")
        }
        #expect(problems(split("{revision: latest, weight: 100}")) == [])
        #expect(problems(split("{revision: web-00001, weight: 60}, {address: \"127.0.0.1:80\", weight: 40}")) == [])
        #expect(
            problems(split("{revision: latest, weight: 90}")) == [
                "4:50: spec.backends: weights must sum to 100; they sum to 90"
            ]
        )
        #expect(problems(split("{weight: 100}")).first?.contains("give exactly one of revision, app, address") == true)
        #expect(
            problems(split("{address: \"db:80\", weight: 100}")).first?.contains("is not a numeric address") == true
        )
        #expect(
            problems(split("{revision: latest, weight: 100}", hosts: "[A.b]")).first?.contains("not a host name")
                == true
        )
        #expect(
            problems(split("{revision: shop-00001, weight: 100}")) == [
                """
                4:62: spec.backends[0].revision: "shop-00001" is a revision of app "shop", but the split is of "web". \
                Write {app: shop} for its latest, or a revision of web
                """
            ]
        )
        #expect(
            problems(split("{revision: newest, weight: 100}")).first?.contains(
                "Write latest or a name such as web-00001"
            ) == true
        )
    }

    @Test(
        "version and kind are asked for with the words to write",
        arguments: [
            (
                "kind: App\nmetadata: {name: x}",
                "1:1: apiVersion: required, but missing. Write apiVersion: meridian.dev/v1"
            ),
            ("apiVersion: v1\nkind: Region\nmetadata: {name: x}", "1:13: apiVersion: \"v1\" is no version known here"),
            (
                "apiVersion: meridian.dev/v1\nmetadata: {name: x}",
                "1:1: kind: required, but missing. Write one of App, Region"
            ),
            (manifest("app", ""), "2:7: kind: \"app\" is no kind known here: did you mean \"App\"?"),
            (manifest("Deployment", ""), "2:7: kind: \"Deployment\" is no kind known here. Known: App"),
            (manifest("Revision", ""), "2:7: kind: a Revision is written by Meridian alone. Remove this document"),
            (manifest("[]", ""), "2:7: kind: this array is no kind known here"),
        ]
    )
    func identity(_ text: String, _ problem: String) {
        #expect(problems(text).contains { $0.hasPrefix(problem) }, "\(problems(text))")
    }

    @Test("names are checked for what becomes of them")
    func names() {
        let long = String(repeating: "a", count: 53)
        #expect(
            problems(manifest("App", "spec: {source: {path: .}}", name: "hello-00001")).first?.contains(
                "choose another"
            ) == true
        )
        #expect(
            problems(manifest("App", "spec: {source: {path: .}}", name: long)).first?.contains("52 characters") == true
        )
        #expect(
            problems(manifest("Region", "", name: "Fra")).first?.hasPrefix("3:18: metadata.name: \"Fra\" is not a name")
                == true
        )
        #expect(
            problems("apiVersion: meridian.dev/v1\nkind: Region\n") == [
                "1:1: metadata: required, but missing. What the object carries about itself."
            ]
        )
    }

    @Test("namespaces belong to namespaced kinds, and default is filled in")
    func namespaces() {
        let region = "apiVersion: meridian.dev/v1\nkind: Region\nmetadata:\n  name: x\n  namespace: y\n"
        #expect(problems(region) == ["5:3: metadata.namespace: a Region belongs to no namespace. Remove the line"])
        let set = ManifestText.read(Array(manifest("Secret", "").utf8), file: "m.yaml")
        #expect(TypedManifests(set).objects.map(\.key.description) == ["Secret/default/x"])
        #expect(TypedManifests(set, namespace: "team").objects.map(\.key.description) == ["Secret/team/x"])
        #expect(TypedManifests(set).objects.first?.json["metadata"]?["namespace"] == "default")
    }

    @Test("what only the server writes is left out, and annotations of Meridian's verbs are told")
    func serverFields() {
        let text = """
            apiVersion: meridian.dev/v1
            kind: Region
            metadata: {name: x, uid: u, resourceVersion: "7", annotations: {meridian.dev/restart: "1", note: n}}
            status: {observedGeneration: 3}
            """
        let typed = TypedManifests(ManifestText.read(Array(text.utf8), file: "m.yaml"))
        #expect(
            typed.diagnostics.map(\.description) == [
                """
                m.yaml:3:65: warning: metadata.annotations["meridian.dev/restart"]: is written by Meridian's own verbs alone \
                and ignored here. Remove the line
                """
            ]
        )
        #expect(
            typed.objects.first?.json == [
                "apiVersion": "meridian.dev/v1", "kind": "Region",
                "metadata": ["name": "x", "annotations": ["note": "n"]],
            ]
        )
    }
}
