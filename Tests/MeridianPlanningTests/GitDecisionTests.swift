// GitDecisionTests: from commit, record and live objects to what is applied, kept, pruned, refused and drifted.
import MeridianModel
import MeridianPlanning
import Testing

/// One line of the table: what the commit has, what was recorded, what is live, and what follows.
struct GitCase: Sendable, CustomStringConvertible {
    let description: String
    /// Declared regions by name; the number stands for the content.
    var declared: [String: Int] = ["fra": 1]
    /// Recorded regions: the content that was applied; 0: about to be applied for the first time.
    var recorded: [String: Int] = [:]
    /// Live regions: the content, and whether it is the recorded object.
    var live: [String: (content: Int, state: LiveState)] = [:]
    var hasProblem = false
    var isAtomic = false
    var drift = DriftPolicy.selfHeal
    var prunes = true
    var claimed: Set<String> = []
    var unreadable: Set<String> = []
    /// The words of the decision, sorted: `apply fra`, `prune ams`.
    let expected: [String]

    enum LiveState: Sendable {
        case asApplied
        /// Another generation: somebody wrote it since.
        case touched
        /// Another uid.
        case madeAnew
        case beingDeleted
        /// Applied by this source, as its managed fields say, but not recorded with a uid.
        case appliedUnrecorded
    }
}

@Suite("The decision about a commit")
struct GitDecisionTests {
    static let cases: [GitCase] = [
        GitCase(description: "a new object is applied", expected: ["apply fra"]),
        GitCase(
            description: "an object that is as recorded is kept",
            recorded: ["fra": 1],
            live: ["fra": (1, .asApplied)],
            expected: ["keep fra"]
        ),
        GitCase(
            description: "an object that the commit changes is applied",
            declared: ["fra": 2],
            recorded: ["fra": 1],
            live: ["fra": (1, .asApplied)],
            expected: ["apply fra"]
        ),
        GitCase(
            description: "an object that another made before is applied",
            live: ["fra": (2, .madeAnew)],
            expected: ["apply fra"]
        ),
        GitCase(
            description: "an object that a crash left half recorded is applied again",
            recorded: ["fra": 0],
            live: ["fra": (1, .asApplied)],
            expected: ["apply fra"]
        ),
        GitCase(
            description: "a change elsewhere is healed",
            recorded: ["fra": 1],
            live: ["fra": (2, .touched)],
            expected: ["apply fra"]
        ),
        GitCase(
            description: "a change elsewhere is reported under report",
            recorded: ["fra": 1],
            live: ["fra": (2, .touched)],
            drift: .report,
            expected: ["drift fra spec.location.latitude"]
        ),
        GitCase(
            description: "a write elsewhere that changes no field of the commit is agreed with",
            recorded: ["fra": 1],
            live: ["fra": (1, .touched)],
            expected: ["agree fra", "keep fra"]
        ),
        GitCase(
            description: "an object that was deleted elsewhere is made again",
            recorded: ["fra": 1],
            expected: ["apply fra"]
        ),
        GitCase(
            description: "an object that was deleted elsewhere is reported under report",
            recorded: ["fra": 1],
            drift: .report,
            expected: ["drift fra"]
        ),
        GitCase(
            description: "a new commit is applied under report too",
            declared: ["fra": 2],
            recorded: ["fra": 1],
            drift: .report,
            expected: ["apply fra"]
        ),
        GitCase(
            description: "an object that is being deleted is waited for",
            recorded: ["fra": 1],
            live: ["fra": (1, .beingDeleted)],
            expected: ["drift fra"]
        ),
        GitCase(
            description: "an object that left the commit is pruned",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            expected: ["keep fra", "prune ams"]
        ),
        GitCase(
            description: "an object that left the commit is left where pruning is off",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            prunes: false,
            expected: ["keep fra", "leave ams"]
        ),
        GitCase(
            description: "an object that was never applied from here is not pruned",
            recorded: ["fra": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            expected: ["keep fra"]
        ),
        GitCase(
            description: "an object that others made anew is not pruned, but forgotten",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .madeAnew)],
            expected: ["forget ams", "keep fra"]
        ),
        GitCase(
            description: "an object that is gone by itself is forgotten",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied)],
            expected: ["forget ams", "keep fra"]
        ),
        GitCase(
            description: "an object that was applied, but not recorded as applied, is pruned by its managed fields",
            recorded: ["fra": 1, "ams": 0],
            live: ["fra": (1, .asApplied), "ams": (1, .appliedUnrecorded)],
            expected: ["keep fra", "prune ams"]
        ),
        GitCase(
            description: "an object that was about to be applied and is another's is forgotten",
            recorded: ["fra": 1, "ams": 0],
            live: ["fra": (1, .asApplied), "ams": (1, .madeAnew)],
            expected: ["forget ams", "keep fra"]
        ),
        GitCase(
            description: "an object that moved to another source is forgotten, not pruned",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            claimed: ["ams"],
            expected: ["forget ams", "keep fra"]
        ),
        GitCase(
            description: "an object of another source is refused",
            live: ["fra": (1, .asApplied)],
            claimed: ["fra"],
            expected: ["problem fra.yaml"]
        ),
        GitCase(
            description: "while a file has a problem nothing is pruned, and the rest is applied",
            declared: ["fra": 2],
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            hasProblem: true,
            expected: ["apply fra", "leave ams", "problem broken.yaml"]
        ),
        GitCase(
            description: "under atomic a file with a problem holds everything up",
            declared: ["fra": 2],
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied)],
            hasProblem: true,
            isAtomic: true,
            expected: ["leave ams", "problem broken.yaml"]
        ),
        GitCase(
            description: "an object that cannot be read is neither applied nor pruned",
            recorded: ["fra": 1, "ams": 1],
            unreadable: ["fra"],
            expected: ["leave ams", "problem fra.yaml"]
        ),
        GitCase(
            description: "an empty commit prunes nothing beyond the bound",
            declared: [:],
            recorded: ["fra": 1, "ams": 1, "nrt": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .asApplied), "nrt": (1, .asApplied)],
            expected: ["leave ams", "leave fra", "leave nrt", "refuse"]
        ),
        GitCase(
            description: "what is being deleted is not deleted again",
            recorded: ["fra": 1, "ams": 1],
            live: ["fra": (1, .asApplied), "ams": (1, .beingDeleted)],
            expected: ["keep fra", "leave ams"]
        ),
    ]

    @Test("table", arguments: cases)
    func table(_ one: GitCase) { #expect(words(gitDecision(situation(one))) == one.expected) }

    private func situation(_ one: GitCase) -> GitSituation {
        var spec = GitSourceSpec()
        spec.url = "https://example.org/x.git"
        spec.drift = one.drift
        spec.atomic = one.isAtomic
        spec.prune.enabled = one.prunes
        spec.prune.protectedKinds = []
        let objects = one.declared.sorted { $0.key < $1.key }.map { name, content in
            GitObject(
                key: Self.key(name),
                config: Self.config(name, content),
                digest: "digest-\(content)",
                file: "\(name).yaml",
                line: 1
            )
        }
        var reading = GitReading(commit: GitCommit(id: String(repeating: "a", count: 40)), objects: objects)
        if one.hasProblem {
            reading.problems = [GitProblem(file: "broken.yaml", line: 3, column: 1, message: "broken")]
        }
        return GitSituation(
            source: "shop",
            spec: spec,
            reading: reading,
            inventory: one.recorded.sorted { $0.key < $1.key }.map { name, content in
                content == 0
                    ? OwnedObject(Self.key(name))
                    : OwnedObject(Self.key(name), uid: "uid-\(name)", generation: 1, applied: "digest-\(content)")
            },
            live: Dictionary(
                uniqueKeysWithValues: one.live.map { (Self.key($0), Self.live($0, $1.content, $1.state)) }
            ),
            unreadable: Set(one.unreadable.map(Self.key)),
            claims: Dictionary(uniqueKeysWithValues: one.claimed.map { (Self.key($0), "other") })
        )
    }

    private static func key(_ name: String) -> ObjectKey { ObjectKey(kind: "Region", name: name) }

    private static func config(_ name: String, _ content: Int) -> JSONValue {
        [
            "apiVersion": "meridian.dev/v1", "kind": "Region", "metadata": ["name": .string(name)],
            "spec": ["location": ["latitude": .integer(Int64(content)), "longitude": 1]],
        ]
    }

    private static func live(_ name: String, _ content: Int, _ state: GitCase.LiveState) -> any APIObject {
        var region = Region(metadata: Metadata(name: name), spec: RegionSpec())
        var location = GeoLocation()
        location.latitude = Double(content)
        location.longitude = 1
        region.spec.location = location
        region.metadata.uid = state == .madeAnew ? "other" : "uid-\(name)"
        region.metadata.generation = state == .touched ? 2 : 1
        if state == .beingDeleted { region.metadata.deletionTimestamp = Timestamp(milliseconds: 1) }
        if state == .appliedUnrecorded { region.metadata.managedFields = [["manager": "gitsource/shop"]] }
        return region
    }

    private func words(_ decision: GitDecision) -> [String] {
        var words = decision.apply.map { "apply \($0.key.name)" } + decision.keep.map { "keep \($0.name)" }
        words += decision.prune.map { "prune \($0.name)" } + decision.kept.map { "leave \($0.key.name)" }
        words += decision.forget.map { "forget \($0.name)" } + decision.agreed.map { "agree \($0.name)" }
        words += decision.drift.map { ([("drift \($0.name)")] + $0.fields).joined(separator: " ") }
        words += decision.problems.map { "problem \($0.file)" }
        return (words + (decision.pruneRefusal == nil ? [] : ["refuse"])).sorted()
    }
}

@Suite("Drifted fields")
struct DriftTests {
    private func app(_ change: (inout App) -> Void = { _ in }) -> App {
        var app = App(metadata: Metadata(name: "shop", namespace: "default"), spec: AppSpec())
        app.spec.source.path = "./src"
        change(&app)
        return app
    }

    private func config(_ spec: JSONValue, labels: JSONValue = [:]) -> JSONValue {
        [
            "apiVersion": "meridian.dev/v1", "kind": "App",
            "metadata": ["name": "shop", "namespace": "default", "labels": labels], "spec": spec,
        ]
    }

    @Test("a default that is written is no drift, nor another way of writing a value")
    func defaults() {
        let config = config(["source": ["path": "./src"], "requestTimeout": "0m30s", "scaling": ["min": 0], "env": [:]])
        #expect(driftedFields(config: config, live: app()) == [])
        let other = self.config(["source": ["path": "./src"], "requestTimeout": "30000ms", "health": ["path": nil]])
        #expect(driftedFields(config: other, live: app()) == [])
    }

    @Test("a field that the configuration does not mention is nobody's business")
    func unmentioned() {
        let live = app { $0.spec.scaling.min = 3 }
        #expect(driftedFields(config: config(["source": ["path": "./src"]]), live: live) == [])
    }

    @Test("a changed field, a changed map entry and a missing label are named")
    func changed() {
        let live = app {
            $0.spec.scaling.min = 3
            $0.spec.env = ["A": "2", "B": "1"]
        }
        let config = config(
            ["source": ["path": "./src"], "scaling": ["min": 1], "env": ["A": "1"]],
            labels: ["team": "shop"]
        )
        #expect(
            driftedFields(config: config, live: live) == ["spec.scaling.min", "spec.env.A", "metadata.labels.team"]
        )
    }
}
