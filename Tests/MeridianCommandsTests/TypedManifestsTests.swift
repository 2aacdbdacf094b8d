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

    /// The problems of a split whose rules are these.
    private func rules(_ rules: String, _ more: String = "") -> [String] {
        problems(
            manifest(
                "TrafficSplit",
                "spec:\n  app: web\n  hosts: [a.b]\n  backends: [\(whole)]\n  rules:\n\(rules)\(more)"
            )
                + "---\n" + manifest("App", "spec: {source: {path: .}}", name: "web")
        )
    }

    private var whole: String { "{revision: latest, weight: 100}" }

    @Test("rules with every condition are accepted, an empty one at the end")
    func soundRules() {
        let found = rules(
            """
              - matches:
                - {method: GET, pathPrefix: /v2/, region: local, headers: [{name: X-Beta, exact: "yes"}]}
                - {cookies: [{name: beta, prefix: "1"}, {name: __Host-id, present: true}]}
                backends: [{revision: web-00001, weight: 40}, {address: "127.0.0.1:80", weight: 60}]
              - matches: [{pathPrefix: /v2/x}]
                backends: [\(whole)]
              - {matches: [{}], backends: [\(whole)]}

            """
        )
        #expect(found == [])
    }

    @Test(
        "a broken rule is told at its place",
        arguments: [
            (
                "{matches: [{pathPrefix: /a}], backends: [{app: web, weight: 9}]}",
                "spec.rules[0].backends: weights must sum to 100; they sum to 9"
            ),
            (
                "{matches: [{pathPrefix: /a}], backends: []}",
                "spec.rules[0].backends: weights must sum to 100; there are"
            ),
            (
                "{matches: [{pathPrefix: a}], backends: [W]}",
                "9:29: spec.rules[0].matches[0].pathPrefix: \"a\" is not a path"
            ),
            ("{matches: [{pathPrefix: /a?b}], backends: [W]}", "leave the query out"),
            ("{matches: [{pathPrefix: /a/../b}], backends: [W]}", "\"..\" segments"),
            ("{matches: [{pathPrefix: /a//b}], backends: [W]}", "has empty"),
            ("{matches: [{method: get}], backends: [W]}", "\"get\" is not a method"),
            ("{matches: [{method: CONNECT}], backends: [W]}", "CONNECT is not served"),
            ("{matches: [{region: mars}], backends: [W]}", "region \"mars\""),
            ("{matches: [{headers: [{name: a b, present: true}]}], backends: [W]}", "\"a b\" is not a name"),
            ("{matches: [{headers: [{name: host, exact: x}]}], backends: [W]}", "Use spec.hosts"),
            ("{matches: [{headers: [{name: Cookie, exact: x}]}], backends: [W]}", "Use cookies"),
            ("{matches: [{headers: [{name: a}]}], backends: [W]}", "one of exact, prefix, present; 0 given"),
            ("{matches: [{headers: [{name: a, exact: x, present: true}]}], backends: [W]}", "present; 2 given"),
            ("{matches: [{headers: [{name: a, prefix: \"\"}]}], backends: [W]}", "must not be empty"),
            ("{matches: [{headers: [{name: a, exact: \" x\"}]}], backends: [W]}", "blanks around a value"),
            (
                "{matches: [{headers: [{name: a, exact: x}, {name: A, exact: y}]}], backends: [W]}",
                "\"a\" is named twice"
            ),
            ("{matches: [{cookies: [{name: a, exact: \"x;y\"}]}], backends: [W]}", "no cookie's value holds"),
            ("{matches: [{path: /a}], backends: [W]}", "unknown field \"spec.rules[0].matches[0].path\""),
            (
                "{matches: [{method: GET}], backends: [{revision: shop-00001, weight: 100}]}",
                "is a revision of app \"shop\""
            ),
            ("{matches: [{method: GET}], backends: [{app: shop, weight: 100}]}", "app \"shop\""),
        ]
    )
    func brokenRules(_ rule: String, _ words: String) {
        let found = rules("  - \(rule.replacing("[W]", with: "[\(whole)]"))\n")
        #expect(found.count == 1 && found.first?.contains(words) == true, "\(found)")
    }

    @Test(
        "a rule that nothing is left for is told with the one that takes it all",
        arguments: [
            (
                "{}", "/b", "10:",
                "rules[0].matches[0]: matches every request, so that the rules below are never reached"
            ),
            ("{pathPrefix: /}", "/b", "10:", "rules[0].matches[0]: matches every request"),
            ("{pathPrefix: /b}", "/b/", "12:", "rules[1].matches[0]: says the same as spec.rules[0].matches[0]"),
            (
                "{pathPrefix: /b}", "/b/c", "12:",
                "rules[1].matches[0]: is never reached, since its requests match spec.rules[0]"
            ),
        ]
    )
    func unreachedRules(_ first: String, _ second: String, _ line: String, _ words: String) {
        let found = rules(
            """
              - matches:
                - \(first)
                backends: [\(whole)]
              - matches: [{pathPrefix: \(second)}]
                backends: [\(whole)]

            """
        )
        #expect(found.count == 1 && found.first?.hasPrefix(line) == true, "\(found)")
        #expect(found.first?.contains(words) == true, "\(found)")
        #expect(rules("  - {backends: [\(whole)]}\n  - {matches: [{method: GET}], backends: [\(whole)]}\n").count == 1)
    }

    @Test("conditions of which one holds wherever the other does are told apart from those that do not")
    func coveringRules() {
        func second(_ first: String, _ second: String) -> Int {
            rules("  - matches: [\(first), \(second)]\n    backends: [\(whole)]\n").count
        }
        #expect(second("{headers: [{name: a, present: true}]}", "{headers: [{name: A, exact: x}]}") == 1)
        #expect(second("{headers: [{name: a, prefix: x}]}", "{headers: [{name: a, exact: xy}], method: GET}") == 1)
        #expect(second("{headers: [{name: a, exact: x}]}", "{headers: [{name: a, prefix: x}]}") == 0)
        #expect(second("{cookies: [{name: a, present: true}]}", "{cookies: [{name: A, present: true}]}") == 0)
        #expect(second("{pathPrefix: /a}", "{pathPrefix: /ab}") == 0)
        #expect(second("{method: GET, pathPrefix: /a}", "{pathPrefix: /a/b}") == 0)
    }

    @Test(
        "a mirror is one backend with a share",
        arguments: [
            ("{app: web, weight: 10}", nil), ("{address: \"127.0.0.1:80\", weight: 100}", nil),
            ("{app: web}", "spec.mirror.weight: required"),
            ("{weight: 5}", "spec.mirror: give exactly one of revision"),
            ("{app: web, weight: 101}", "101 is out of range"), ("{app: ghost, weight: 1}", "app \"ghost\""),
            ("{revision: shop-00001, weight: 1}", "spec.mirror.revision: \"shop-00001\" is a revision of app"),
        ] as [(String, String?)]
    )
    func mirror(_ mirror: String, _ words: String?) {
        let found = problems(
            manifest("TrafficSplit", "spec:\n  app: web\n  hosts: [a.b]\n  backends: [\(whole)]\n  mirror: \(mirror)")
                + "---\n" + manifest("App", "spec: {source: {path: .}}", name: "web")
        )
        #expect(found.isEmpty == (words == nil), "\(found)")
        if let words { #expect(found.first?.contains(words) == true, "\(found)") }
    }

    @Test(
        "what keeps a client on its backend must not contradict itself",
        arguments: [
            ("{}", nil), ("{cookie: v, ttl: 1h}", nil), ("{cookie: v, maxAge: 12h}", nil), ("{header: X-User}", nil),
            ("{cookie: v, header: x-user}", "spec.sticky.header: a client stays by a cookie or by a header"),
            ("{header: x-user, ttl: 1h}", "spec.sticky.ttl: a header is not remembered"),
            ("{header: x-user, maxAge: 1h}", "spec.sticky.maxAge: only a cookie can name a revision"),
            ("{ttl: 1h, maxAge: 2h}", "spec.sticky.maxAge: ttl says already"),
            ("{maxAge: 0s}", "0s is out of range"), ("{header: \"a b\"}", "is not a name"),
        ] as [(String, String?)]
    )
    func sticky(_ sticky: String, _ words: String?) {
        let found = problems(
            manifest("TrafficSplit", "spec:\n  app: web\n  hosts: [a.b]\n  backends: [\(whole)]\n  sticky: \(sticky)")
                + "---\n" + manifest("App", "spec: {source: {path: .}}", name: "web")
        )
        #expect(found.isEmpty == (words == nil), "\(found)")
        if let words { #expect(found.first?.contains(words) == true, "\(found)") }
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
