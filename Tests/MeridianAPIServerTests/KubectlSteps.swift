// KubectlSteps: what both real kubectls must do, as a table: the words, the exit code, what is said.

/// The kubectl versions that are tried.
enum KubectlVersion: String, CaseIterable {
    case v1_37, v1_20
}

/// One call of kubectl.
struct KubectlStep {
    let words: [String]
    /// The exit code; nil: any, for calls that end by a time-out.
    var code: Int32? = 0
    /// Texts that are printed.
    var says: [String] = []
    /// Texts that are not printed.
    var hides: [String] = []
    var environment: [String: String] = [:]
    /// Versions that have no such command or flag.
    var missingIn: Set<KubectlVersion> = []

    init(
        _ text: String,
        _ extra: [String] = [],
        code: Int32? = 0,
        says: [String] = [],
        hides: [String] = [],
        environment: [String: String] = [:],
        missingIn: Set<KubectlVersion> = []
    ) {
        words = text.split(separator: " ").map(String.init) + extra
        self.code = code
        self.says = says
        self.hides = hides
        self.environment = environment
        self.missingIn = missingIn
    }

    static let files: [String: String] = [
        "app.yaml": app(min: 1), "app2.yaml": app(min: 2),
        "kust/kustomization.yaml": "resources: [region.yaml]\ncommonLabels: {team: edge}\n",
        "kust/region.yaml":
            "apiVersion: meridian.dev/v1\nkind: Region\nmetadata: {name: fra}\nspec: {aliases: [euc1]}\n",
        "split.yaml": split("one"), "split2.yaml": split("two"),
        "bad.yaml": app(min: 1, more: ", regoins: {}", name: "bad"),
        "secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {PASSWORD: hunter2}\n",
    ]

    private static func app(min: Int, more: String = "", name: String = "hello") -> String {
        """
        apiVersion: meridian.dev/v1
        kind: App
        metadata: {name: \(name), labels: {tier: web}}
        spec: {source: {path: .}, scaling: {min: \(min)}\(more)}

        """
    }

    private static func split(_ name: String) -> String {
        """
        apiVersion: meridian.dev/v1
        kind: TrafficSplit
        metadata: {name: \(name), labels: {set: all}}
        spec: {app: hello, hosts: [\(name).localhost], backends: [{revision: latest, weight: 100}]}

        """
    }

    /// Every line in its order; later ones build on earlier ones.
    static let all = discovery + applying + reading + writing + core + waiting + pruning + ending

    private static let discovery = [
        KubectlStep("version", says: ["v1.37.0+meridian.test"]),
        KubectlStep("api-resources", says: ["apps", "trafficsplits", "ts,splits", "pods"]),
        KubectlStep("api-versions", says: ["meridian.dev/v1", "v1"]),
        KubectlStep("explain app.spec.scaling", says: ["Runners that stay up although idle.", "min\t<integer>"]),
        KubectlStep("explain app --recursive", says: ["idleAfter"]),
    ]

    private static let applying = [
        KubectlStep("apply -f app.yaml --dry-run=client", says: ["hello created (dry run)"]),
        KubectlStep("apply -f app.yaml --dry-run=server", says: ["hello created (server dry run)"]),
        KubectlStep("get app hello", code: 1, says: ["apps.meridian.dev \"hello\" not found"]),
        KubectlStep("diff -f app.yaml", code: 1, says: ["+  name: hello"]),
        KubectlStep("apply -f app.yaml", says: ["app.meridian.dev/hello created"]),
        KubectlStep("apply -f app.yaml", says: ["app.meridian.dev/hello unchanged"]),
        KubectlStep("diff -f app.yaml"),
        KubectlStep("diff -f app2.yaml", code: 1, says: ["-    min: 1", "+    min: 2"]),
        KubectlStep(
            "diff --server-side -f app2.yaml --force-conflicts",
            code: 1,
            says: ["+    min: 2"],
            missingIn: [.v1_20]
        ),
        KubectlStep("apply -f app2.yaml", says: ["configured"]),
        KubectlStep("apply view-last-applied app/hello", says: ["min: 2"]),
        KubectlStep(
            "apply --server-side -f app.yaml --field-manager=other",
            code: 1,
            says: [
                "Apply failed with 1 conflict", "kubectl-client-side-apply", ".spec.scaling.min",
            ]
        ),
        KubectlStep(
            "apply --server-side -f app.yaml --field-manager=other --force-conflicts",
            says: ["serverside-applied"]
        ),
        KubectlStep("diff --server-side -f app.yaml --field-manager=other"),
        KubectlStep("apply -k kust", says: ["region.meridian.dev/fra created"]),
    ]

    private static let reading = [
        KubectlStep("get apps", says: ["NAME", "READY", "hello"], hides: ["LATEST"]),
        KubectlStep("get apps -o wide", says: ["LATEST"]),
        KubectlStep("get app hello -o yaml", says: ["min: 1"]),
        KubectlStep("get app hello -o json", says: ["\"min\": 1"]),
        KubectlStep("get apps -o name", says: ["app.meridian.dev/hello"]),
        KubectlStep("get app hello -o jsonpath={.spec.scaling.min}", says: ["1"]),
        KubectlStep("get apps -w --request-timeout=2s", code: nil, says: ["hello"]),
        KubectlStep("get apps --watch-only --request-timeout=1s", code: nil, hides: ["hello"]),
        KubectlStep("get apps -l tier=web", says: ["hello"]), KubectlStep("get apps -l tier!=web", hides: ["hello"]),
        KubectlStep("get apps --field-selector metadata.name=hello", says: ["hello"]),
        KubectlStep("get apps --field-selector spec.app=x", code: 1, says: ["field label not supported: spec.app"]),
        KubectlStep("get apps --chunk-size=1", says: ["hello"]),
        KubectlStep("get apps -A", says: ["NAMESPACE", "default"]),
        KubectlStep("get meridian", says: ["app.meridian.dev/hello", "region.meridian.dev/fra"]),
        KubectlStep("get all", says: ["app.meridian.dev/hello"]),
        KubectlStep("describe app hello", says: ["Built", "the bundle is there"]),
        KubectlStep("get events", says: ["the bundle is there", "Normal"]),
        KubectlStep("events --for app/hello", says: ["the bundle is there"], missingIn: [.v1_20]),
        KubectlStep("get pods", says: ["hello-00001-abcde", "Running"]),
        KubectlStep("describe pod hello-00001-abcde", says: ["hello-00001"]),
        KubectlStep("logs hello-00001-abcde --tail=2", says: ["line 1", "line 2"]),
        KubectlStep("logs -l app=hello -c hello --tail=2", says: ["line 2"]),
    ]

    private static let writing = [
        KubectlStep("create -f split.yaml", says: ["trafficsplit.meridian.dev/one created"]),
        KubectlStep("create -f split.yaml", code: 1, says: ["AlreadyExists"]),
        KubectlStep("replace -f split.yaml", says: ["replaced"]),
        KubectlStep("patch app hello --type=merge -p", [#"{"spec":{"args":["a"]}}"#], says: ["patched"]),
        KubectlStep(
            "patch app hello --type=json -p",
            [#"[{"op":"replace","path":"/spec/args/0","value":"b"}]"#],
            says: ["patched"]
        ),
        KubectlStep("get app hello -o jsonpath={.spec.args[0]}", says: ["b"]),
        KubectlStep("label app hello a=b", says: ["labeled"]),
        KubectlStep("annotate app hello note=hi", says: ["annotated"]),
        KubectlStep("edit app hello", says: ["edited"], environment: ["KUBE_EDITOR": "sed -i s/note:.hi/note:\\ ho/"]),
        KubectlStep("get app hello -o jsonpath={.metadata.annotations.note}", says: ["ho"]),
        KubectlStep("scale app/hello --replicas=3", says: ["scaled"]),
        KubectlStep("get app hello -o jsonpath={.spec.scaling.min}", says: ["3"]),
        KubectlStep("scale app/hello --replicas=99", code: 1, says: ["spec.scaling.min"]),
        KubectlStep("create -f bad.yaml", code: 1, says: ["unknown field", "regoins"]),
        KubectlStep(
            "create -f bad.yaml --validate=warn --dry-run=server",
            says: ["unknown field \"spec.regoins\"", "created"],
            missingIn: [.v1_20]
        ),
        KubectlStep("create -f bad.yaml --validate=false", says: ["created"]),
        KubectlStep(
            "patch app hello --subresource=status --type=merge -p",
            [Self.readyStatus],
            says: ["patched"],
            missingIn: [.v1_20]
        ),
    ]

    private static let readyStatus =
        #"{"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}"#

    private static let core = [
        KubectlStep("create ns shop", says: ["namespace/shop created"]),
        KubectlStep("get ns", says: ["shop", "Active"]),
        KubectlStep("apply -n none -f app.yaml", code: 1, says: ["namespaces \"none\" not found"]),
        KubectlStep("apply -n shop -f split.yaml", says: ["created"]),
        KubectlStep("delete ns shop", says: ["deleted"]),
        KubectlStep("get trafficsplits -n shop", hides: ["one"]),
        KubectlStep("delete ns default", code: 1, says: ["may not be deleted"]),
        KubectlStep("apply -f secret.yaml", says: ["secret/db created"]),
        KubectlStep("get secret db -o yaml", says: ["PASSWORD:"], hides: ["hunter2", "aHVudGVyMg=="]),
        KubectlStep("create secret generic more --from-literal=A=1", says: ["created"]),
        KubectlStep("label secret more x=y", says: ["labeled"]), KubectlStep("describe secret db", says: ["PASSWORD"]),
        KubectlStep("auth can-i create apps", says: ["yes"]), KubectlStep("auth can-i --list", says: ["*.*"]),
        KubectlStep("auth whoami", says: ["meridian:local"], missingIn: [.v1_20]),
    ]

    private static let waiting = [
        KubectlStep("wait --for=condition=Ready app/hello --timeout=20s", says: ["condition met"], missingIn: [.v1_20]),
        KubectlStep("wait --for=condition=Never app/hello --timeout=1s", code: 1, says: ["timed out"]),
        KubectlStep(
            "wait --for=jsonpath={.spec.scaling.min}=3 app/hello --timeout=20s",
            says: ["condition met"],
            missingIn: [.v1_20]
        ),
        KubectlStep("get app hello --subresource=status", says: ["True"], missingIn: [.v1_20]),
    ]

    private static let pruning = [
        KubectlStep(
            "apply -f split2.yaml -f split.yaml --prune -l set=all --prune-allowlist=meridian.dev/v1/TrafficSplit",
            says: ["two created"],
            missingIn: [.v1_20]
        ),
        KubectlStep(
            "apply -f split2.yaml --prune -l set=all --prune-allowlist=meridian.dev/v1/TrafficSplit",
            says: ["one pruned"],
            missingIn: [.v1_20]
        ),
        KubectlStep(
            "apply -f split2.yaml -f split.yaml --prune -l set=all --prune-whitelist=meridian.dev/v1/TrafficSplit",
            says: ["two created"],
            missingIn: [.v1_37]
        ),
        KubectlStep(
            "apply -f split2.yaml --prune -l set=all --prune-whitelist=meridian.dev/v1/TrafficSplit",
            says: ["one pruned"],
            missingIn: [.v1_37]
        ),
        KubectlStep(
            "apply -n default -f split.yaml -f split2.yaml --applyset=mine --prune",
            says: ["created"],
            environment: ["KUBECTL_APPLYSET": "true"],
            missingIn: [.v1_20]
        ),
        KubectlStep(
            "apply -n default -f split2.yaml --applyset=mine --prune",
            says: ["one pruned"],
            environment: ["KUBECTL_APPLYSET": "true"],
            missingIn: [.v1_20]
        ),
    ]

    private static let ending = [
        KubectlStep("delete trafficsplit two", says: ["deleted"]),
        KubectlStep("delete region fra --cascade=foreground", says: ["deleted"]),
        KubectlStep("delete app hello --cascade=orphan --wait=false", says: ["deleted"]),
        KubectlStep(
            "get app hello -o jsonpath={.metadata.finalizers}",
            says: ["meridian.dev/drain"],
            hides: ["orphan"]
        ),
        KubectlStep("delete secret db more", says: ["deleted"]),
        // 1.20 takes what is gone for an error.
        KubectlStep("wait --for=delete secret/db --timeout=20s", missingIn: [.v1_20]),
    ]
}
