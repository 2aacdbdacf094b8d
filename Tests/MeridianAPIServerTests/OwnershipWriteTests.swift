// OwnershipWriteTests: writes by several clients: who owns what, what is refused, what is stored.
import MeridianMerging
import MeridianModel
import MeridianPorts
import MeridianStore
import Testing

@testable import MeridianAPIServer

/// The object API over a store in memory.
private struct Objects {
    static let region = ObjectKey(kind: "Region", name: "fra")
    static let app = ObjectKey(kind: "App", namespace: "default", name: "a")
    static let secret = ObjectKey(kind: "Secret", namespace: "default", name: "db")

    let store: any StorePort
    let api: ObjectAPI

    init() async throws {
        let clock = WallClock()
        let store = MemoryStore(clock: clock)
        self.store = store
        api = ObjectAPI(store: store, sealing: FakeSealing(), clock: clock, random: SystemRandom())
        try await api.makeMissingNamespaces()
    }

    static func kind(_ key: ObjectKey) throws -> Kind { try #require(Kind.all.first { $0.name == key.kind }) }

    static func options(_ query: String, agent: String? = nil, part: ObjectPart = .main) throws -> WriteOptions {
        try WriteOptions(try QueryParameters(query), userAgent: agent, part: part)
    }

    func apply(
        _ body: JSONValue,
        _ key: ObjectKey = region,
        _ query: String = "fieldManager=ci",
        part: ObjectPart = .main
    ) async throws -> WriteOutcome {
        try await api.apply(body, try Self.kind(key), key, try Self.options(query, part: part))
    }

    func patch(_ body: JSONValue, _ key: ObjectKey = region, _ query: String = "", part: ObjectPart = .main)
        async throws -> WriteOutcome
    {
        let options = try Self.options(query, agent: "edit/1.0", part: part)
        if body.array != nil { return try await api.jsonPatch(body, try Self.kind(key), key, options) }
        return try await api.mergePatch(body, try Self.kind(key), key, options)
    }

    func replace(_ body: JSONValue, _ key: ObjectKey = region, _ query: String = "", part: ObjectPart = .main)
        async throws -> WriteOutcome
    {
        let options = try Self.options(query, agent: "put/1.0", part: part)
        return try await api.replace(body, try Self.kind(key), key, options)
    }

    func create(_ body: JSONValue, _ key: ObjectKey = region, _ query: String = "") async throws -> WriteOutcome {
        let options = try Self.options(query, agent: "post/1.0")
        return try await api.create(body, try Self.kind(key), namespace: key.namespace, options)
    }

    func live(_ key: ObjectKey = region) async throws -> JSONValue {
        api.served(try await api.record(key, try Self.kind(key)))
    }

    /// `ci Apply {"f:spec":…}` for each manager.
    func owners(_ key: ObjectKey = region) async throws -> [String] {
        try (await live(key)["metadata"]?["managedFields"]?.array ?? []).map { value in
            let entry = try ManagedFieldsEntry(value)
            let part = entry.subresource.isEmpty ? "" : "/\(entry.subresource)"
            let paths = entry.fields.paths.map { $0.map(\.description).joined() }
            return ([entry.manager + part, entry.operation.rawValue] + paths).joined(separator: " ")
        }
    }

    func revision() async throws -> Int64 { try await store.snapshot(kinds: nil).revision }
}

private func region(_ spec: JSONValue, metadata: KeyValuePairs<String, JSONValue> = [:]) -> JSONValue {
    let members = [("name", JSONValue.string("fra"))] + metadata.map { ($0.key, $0.value) }
    return [
        "apiVersion": "meridian.dev/v1", "kind": "Region",
        "metadata": .object(JSONObject(members.map { .init(key: $0.0, value: $0.1) })), "spec": spec,
    ]
}

private func app(_ spec: JSONValue) -> JSONValue {
    ["apiVersion": "meridian.dev/v1", "kind": "App", "metadata": ["name": "a"], "spec": spec]
}

private func secret(_ values: JSONValue) -> JSONValue {
    ["apiVersion": "meridian.dev/v1", "kind": "Secret", "metadata": ["name": "db"], "stringData": values]
}

/// The refusal of a request that must be refused; nil where it was not.
private func failure(_ body: () async throws -> Void) async -> APIFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? APIFailure
    }
}

@Suite("Server-side apply over the store")
struct ServerSideApplyTests {
    @Test("a field that is removed from the file goes; fields of others stay")
    func removal() async throws {
        let objects = try await Objects()
        let first = try await objects.apply(region(["aliases": ["x"], "nodes": ["n"]]))
        #expect(first.change == .created)
        _ = try await objects.patch(["metadata": ["labels": ["a": "1"]]])
        let second = try await objects.apply(region(["aliases": ["x"]]))
        #expect(second.change == .configured && second.object["spec"] == ["aliases": ["x"]])
        #expect(second.object["metadata"]?["labels"] == ["a": "1"])
        #expect(
            try await objects.owners() == [
                #"ci Apply .spec.aliases[="x"]"#, "edit Update .metadata.labels.a",
            ]
        )
    }

    @Test("one conflict is told in one line, with its cause")
    func oneConflict() async throws {
        let objects = try await Objects()
        _ = try await objects.apply(region(["location": ["latitude": 1.5, "longitude": 2.5]]))
        let wish = region(["location": ["latitude": 3.5, "longitude": 2.5]])
        let refused = await failure { _ = try await objects.apply(wish, Objects.region, "fieldManager=ops") }
        #expect(refused?.code == 409 && refused?.reason == "Conflict")
        #expect(refused?.message == #"Apply failed with 1 conflict: conflict with "ci": .spec.location.latitude"#)
        #expect(
            refused?.details?["causes"] == [
                [
                    "reason": "FieldManagerConflict", "message": #"conflict with "ci""#,
                    "field": ".spec.location.latitude",
                ]
            ]
        )
        let forced = try await objects.apply(wish, Objects.region, "fieldManager=ops&force=true")
        #expect(forced.object["spec"]?["location"]?["latitude"] == 3.5)
    }

    @Test("several conflicts are listed by manager, with one cause each")
    func severalConflicts() async throws {
        let objects = try await Objects()
        _ = try await objects.apply(region(["location": ["latitude": 1.5, "longitude": 2.5]]))
        _ = try await objects.patch(["spec": ["fallback": ["ams"]]])
        let wish = region(["location": ["latitude": 3.5, "longitude": 4.5], "fallback": ["ber"]])
        let refused = await failure { _ = try await objects.apply(wish, Objects.region, "fieldManager=ops") }
        let lines = (refused?.message ?? "").split(separator: "\n").map(String.init)
        #expect(lines.count == 5)
        #expect(lines.first == #"Apply failed with 3 conflicts: conflicts with "ci":"#)
        #expect(lines.dropFirst().first == "- .spec.location.latitude")
        #expect(lines.dropFirst(3).first?.hasPrefix(#"conflicts with "edit" using meridian.dev/v1 at 20"#) == true)
        #expect(lines.last == "- .spec.fallback")
        #expect(refused?.details?["causes"]?.array?.count == 3)
    }

    @Test("an apply must name its manager, and must not bring managers along")
    func parameters() async throws {
        let objects = try await Objects()
        var refused = await failure { _ = try await objects.apply(region([:]), Objects.region, "") }
        #expect(refused?.code == 422)
        #expect(
            refused?.message
                == #"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
        )
        let owned = region([:], metadata: ["managedFields": [["manager": "x"]]])
        refused = await failure { _ = try await objects.apply(owned) }
        #expect(refused?.code == 400 && refused?.message.hasPrefix("metadata.managedFields must be nil") == true)
    }

    @Test("the manager is the program's name where none is given; long, unprintable and misplaced ones are refused")
    func managers() throws {
        #expect(try Objects.options("", agent: "kubectl/v1.37.0 (linux/amd64)").manager == "kubectl")
        #expect(try Objects.options("fieldManager=ci", agent: "kubectl/v1").manager == "ci")
        #expect(try Objects.options("").manager == "unknown")
        let long = String(repeating: "x", count: 129)
        for query in ["fieldManager=\(long)", "fieldManager=a%01b", "fieldValidation=Loose", "dryRun=Some"] {
            #expect(throws: APIFailure.self, "\(query)") { try Objects.options(query) }
        }
    }

    @Test("another client may apply a part of an object; what comes of it must be whole")
    func parts() async throws {
        let objects = try await Objects()
        _ = try await objects.apply(app(["source": ["path": "."]]), Objects.app)
        let scaled = try await objects.apply(app(["scaling": ["min": 2]]), Objects.app, "fieldManager=scaler")
        #expect(scaled.object["spec"] == ["source": ["path": "."], "scaling": ["min": 2]])
        var refused = await failure {
            _ = try await objects.apply(app(["scaling": ["max": 1]]), Objects.app, "fieldManager=other")
        }
        #expect(refused?.code == 422 && refused?.message.contains("spec.scaling.min: 2 is more than max") == true)
        refused = await failure { _ = try await objects.apply(app([:]), Objects.app) }
        #expect(refused?.code == 422 && refused?.message.contains("spec.source") == true)
        refused = await failure {
            let split: JSONValue = [
                "apiVersion": "meridian.dev/v1", "kind": "TrafficSplit", "metadata": ["name": "a"],
                "spec": ["hosts": ["x.example", "x.example"]],
            ]
            _ = try await objects.apply(split, ObjectKey(kind: "TrafficSplit", namespace: "default", name: "a"))
        }
        #expect(refused?.code == 422)
        #expect(refused?.details?["causes"]?.array?.first?["field"] == #"spec.hosts[="x.example"]"#)
    }

    @Test("the same again, with defaults written out or not, uses no revision and moves no time")
    func nothingChanges() async throws {
        let objects = try await Objects()
        let first = try await objects.apply(app(["source": ["path": "."], "requestTimeout": "30s"]), Objects.app)
        #expect(first.object["spec"] == ["source": ["path": "."]])
        let revision = try await objects.revision()
        for _ in 0..<2 {
            let again = try await objects.apply(app(["source": ["path": "."], "requestTimeout": "30s"]), Objects.app)
            #expect(again.change == .unchanged && again.object == first.object)
        }
        _ = try await objects.replace(first.object, Objects.app)
        _ = try await objects.patch(["spec": ["requestTimeout": "30000ms"]], Objects.app)
        _ = try await objects.patch([], Objects.app)
        #expect(try await objects.revision() == revision)
        #expect(try await objects.live(Objects.app) == first.object)
    }

    @Test("an apply names the version that it was made for, if it names one")
    func versions() async throws {
        let objects = try await Objects()
        let first = try await objects.apply(region(["aliases": ["x"]]))
        _ = try await objects.apply(region(["aliases": ["y"]]))
        let version = first.object["metadata"]?["resourceVersion"] ?? ""
        let stale = region(["aliases": ["z"]], metadata: ["resourceVersion": version])
        let refused = await failure { _ = try await objects.apply(stale) }
        #expect(refused?.code == 409 && refused?.message.contains("the object has been modified") == true)
    }

    @Test("keys of a Secret are shared; owners, not values, are told")
    func secrets() async throws {
        let objects = try await Objects()
        _ = try await objects.apply(secret(["A": "hunter2", "B": "two"]), Objects.secret)
        _ = try await objects.apply(secret(["C": "three"]), Objects.secret, "fieldManager=ops")
        let shared = try await objects.apply(secret(["A": "hunter2"]), Objects.secret)
        #expect(shared.object["sealed"]?.object?.keys == ["A", "C"])
        #expect(try await objects.owners(Objects.secret) == ["ci Apply .sealed.A", "ops Apply .sealed.C"])
        let refused = await failure {
            _ = try await objects.apply(secret(["A": "other"]), Objects.secret, "fieldManager=ops")
        }
        #expect(refused?.message == #"Apply failed with 1 conflict: conflict with "ci": .sealed.A"#)
        let same = try await objects.apply(secret(["A": "hunter2", "C": "three"]), Objects.secret, "fieldManager=ops")
        #expect(same.object["sealed"] == shared.object["sealed"])
        let stored = try await objects.store.get(Objects.secret)?.value.text() ?? "hunter2"
        #expect(!stored.contains("hunter2"))
    }

    @Test("kubectl's way from client-side to server-side apply: what it wrote before may go afterwards")
    func migration() async throws {
        let objects = try await Objects()
        let copy = region(["aliases": ["x"], "nodes": ["n"]])
        let name = "kubectl.kubernetes.io/last-applied-configuration"
        let annotations = JSONValue.object(JSONObject([.init(key: name, value: .string(copy.text()))]))
        let clientSide = region(["aliases": ["x"], "nodes": ["n"]], metadata: ["annotations": annotations])
        _ = try await objects.create(clientSide, Objects.region, "fieldManager=kubectl-client-side-apply")
        _ = try await objects.apply(region(["aliases": ["x"], "nodes": ["n"]]), Objects.region, "fieldManager=kubectl")
        _ = try await objects.apply(
            region([:], metadata: ["annotations": annotations]),
            Objects.region,
            "fieldManager=kubectl-last-applied"
        )
        let entries = try await objects.live()["metadata"]?["managedFields"]?.array ?? []
        let kept = entries.filter { $0["manager"] != "kubectl-client-side-apply" }
        #expect(kept.count == 2)
        let version = try await objects.live()["metadata"]?["resourceVersion"] ?? ""
        _ = try await objects.patch([
            ["op": "replace", "path": "/metadata/managedFields", "value": .array(kept)],
            ["op": "replace", "path": "/metadata/resourceVersion", "value": version],
        ])
        let migrated = try await objects.apply(region(["aliases": ["x"]]), Objects.region, "fieldManager=kubectl")
        #expect(migrated.object["spec"] == ["aliases": ["x"]])
    }
}

@Suite("Updates and who owns them")
struct TrackedUpdateTests {
    @Test("a POST, a PUT and both patches own what they changed")
    func operations() async throws {
        let objects = try await Objects()
        let created = try await objects.create(region(["aliases": ["x"]]))
        #expect(created.change == .created)
        _ = try await objects.patch(["metadata": ["labels": ["a": "1"]]], Objects.region, "fieldManager=label")
        _ = try await objects.patch(
            [["op": "add", "path": "/spec/nodes", "value": ["n"]]],
            Objects.region,
            "fieldManager=nodes"
        )
        var object = try await objects.live().object ?? JSONObject()
        object["spec"] = ["aliases": ["x"], "nodes": ["n", "m"]]
        _ = try await objects.replace(.object(object))
        #expect(
            try await objects.owners().sorted() == [
                "label Update .metadata.labels.a", #"nodes Update .spec.nodes[="n"]"#,
                #"post Update .spec .spec.aliases .spec.aliases[="x"]"#, #"put Update .spec.nodes[="m"]"#,
            ]
        )
    }

    @Test("a stale resourceVersion is a conflict in a PUT and in both patches")
    func optimisticConcurrency() async throws {
        let objects = try await Objects()
        let old = try await objects.create(region(["aliases": ["x"]])).object
        _ = try await objects.patch(["metadata": ["labels": ["a": "1"]]])
        let version = old["metadata"]?["resourceVersion"] ?? ""
        let writes: [() async throws -> Void] = [
            { _ = try await objects.replace(old) },
            { _ = try await objects.patch(["metadata": ["resourceVersion": version], "spec": ["nodes": ["n"]]]) },
            {
                _ = try await objects.patch([
                    ["op": "replace", "path": "/metadata/resourceVersion", "value": version],
                    ["op": "add", "path": "/spec/nodes", "value": ["n"]],
                ])
            },
        ]
        for write in writes {
            let refused = await failure(write)
            #expect(refused?.code == 409)
            #expect(
                refused?.message
                    == "Operation cannot be fulfilled on regions.meridian.dev \"fra\": the object has been modified; please apply your changes to the latest version and try again"
            )
        }
    }

    @Test("the generation rises with the content, not with labels, owners or status")
    func generation() async throws {
        let objects = try await Objects()
        var outcome = try await objects.create(region(["aliases": ["x"]]))
        #expect(outcome.object["metadata"]?["generation"] == 1)
        outcome = try await objects.patch(["metadata": ["labels": ["a": "1"]]])
        #expect(outcome.object["metadata"]?["generation"] == 1)
        outcome = try await objects.apply(region(["aliases": ["x"]]))
        #expect(outcome.change == .configured && outcome.object["metadata"]?["generation"] == 1)
        outcome = try await objects.patch(["status": ["observedGeneration": 1]], part: .status)
        #expect(outcome.change == .configured && outcome.object["metadata"]?["generation"] == 1)
        outcome = try await objects.patch([["op": "add", "path": "/spec/nodes", "value": ["n"]]])
        #expect(outcome.object["metadata"]?["generation"] == 2)
    }

    @Test("the object's endpoint ignores the status; the status' endpoint keeps only the status")
    func status() async throws {
        let objects = try await Objects()
        _ = try await objects.create(region(["aliases": ["x"]]))
        let both: JSONValue = ["spec": ["aliases": ["y"]], "status": ["observedGeneration": 5]]
        let main = try await objects.patch(both)
        #expect(main.object["spec"] == ["aliases": ["y"]] && main.object["status"]?["observedGeneration"] == nil)
        let other: JSONValue = [
            "spec": ["aliases": ["z"]], "metadata": ["labels": ["a": "1"]], "status": ["observedGeneration": 5],
        ]
        for write in 0..<3 {
            let outcome =
                switch write {
                case 0: try await objects.patch(other, part: .status)
                case 1: try await objects.replace(mergePatched(try await objects.live(), with: other), part: .status)
                default:
                    try await objects.apply(
                        mergePatched(region([:]), with: other),
                        Objects.region,
                        "fieldManager=probe",
                        part: .status
                    )
                }
            #expect(outcome.object["spec"] == ["aliases": ["y"]] && outcome.object["metadata"]?["labels"] == nil)
            #expect(outcome.object["status"]?["observedGeneration"] == 5)
        }
        #expect(try await objects.owners().contains("probe/status Apply .status.observedGeneration"))
        let wrong = await failure {
            _ = try await objects.patch(["status": ["observedGeneration": "x"]], part: .status)
        }
        #expect(wrong?.code == 422)
        let typing = await failure {
            _ = try await objects.patch(
                ["status": ["observed": 1]],
                Objects.region,
                "fieldValidation=Strict",
                part: .status
            )
        }
        #expect(typing?.code == 400)
    }

    @Test("a dry run of any write answers what would be and writes nothing")
    func dryRuns() async throws {
        let objects = try await Objects()
        let created = try await objects.create(region(["aliases": ["x"]]), Objects.region, "dryRun=All")
        #expect(created.change == .created && created.object["metadata"]?["uid"] == nil)
        #expect(try await objects.revision() == 1)
        let live = try await objects.create(region(["aliases": ["x"]])).object
        let wish = mergePatched(live, with: ["spec": ["aliases": ["y"]]])
        let outcomes = [
            try await objects.replace(wish, Objects.region, "dryRun=All"),
            try await objects.patch(["spec": ["aliases": ["y"]]], Objects.region, "dryRun=All"),
            try await objects.patch(
                [["op": "replace", "path": "/spec/aliases/0", "value": "y"]],
                Objects.region,
                "dryRun=All"
            ),
            try await objects.apply(region(["aliases": ["y"]]), Objects.region, "fieldManager=ci&dryRun=All"),
        ]
        for outcome in outcomes {
            #expect(outcome.change == .configured)
            #expect(outcome.object["metadata"]?["generation"] == live["metadata"]?["generation"])
            #expect(outcome.object["spec"]?["aliases"]?.array?.contains("y") == true)
        }
        #expect(try await objects.live() == live)
    }

    @Test("a JSON Patch that does not fit is refused with the place")
    func misfits() async throws {
        let objects = try await Objects()
        _ = try await objects.create(region(["aliases": ["x"]]))
        var refused = await failure {
            _ = try await objects.patch([["op": "test", "path": "/spec/aliases/0", "value": "z"]])
        }
        #expect(refused?.code == 422 && refused?.message.contains("testing \"/spec/aliases/0\" failed") == true)
        refused = await failure { _ = try await objects.patch([["op": "add", "path": "spec"]]) }
        #expect(refused?.code == 400)
        refused = await failure { _ = try await objects.patch([], Objects.region, "force=true") }
        #expect(refused?.code == 422 && refused?.message.contains("may not be specified for non-apply patch") == true)
        refused = await failure { _ = try await objects.patch([["op": "remove", "path": "/metadata/name"]]) }
        #expect(refused == nil)
        #expect(try await objects.live()["metadata"]?["name"] == "fra")
    }

    @Test("removing every manager ends the tracking, and the next apply begins it again")
    func reset() async throws {
        let objects = try await Objects()
        _ = try await objects.apply(region(["aliases": ["x"]]))
        let bare = try await objects.patch(["metadata": ["managedFields": [[:]]]])
        #expect(bare.object["metadata"]?["managedFields"] == nil)
        _ = try await objects.patch(["spec": ["nodes": ["n"]]])
        #expect(try await objects.owners() == [])
        _ = try await objects.apply(region(["aliases": ["x"]]))
        #expect(
            try await objects.owners() == [
                #"ci Apply .spec.aliases[="x"]"#,
                #"before-first-apply Update .spec .spec.aliases .spec.aliases[="x"] .spec.nodes .spec.nodes[="n"]"#,
            ]
        )
    }
}

@Suite("Fields that a kind does not have, and fields given twice")
struct FieldValidationTests {
    private static let typing: JSONValue = region(["regoins": [], "location": ["latitude": 1.5, "longitude": 2.5]])

    @Test("strictly they are refused with their paths")
    func strict() async throws {
        let objects = try await Objects()
        let asked = "fieldValidation=Strict"
        let unknown = await failure { _ = try await objects.create(Self.typing, Objects.region, asked) }
        #expect(unknown?.code == 400 && unknown?.reason == "BadRequest")
        #expect(unknown?.message.hasPrefix(#"strict decoding error: unknown field "spec.regoins""#) == true)
        var options = try Objects.options(asked)
        let text = #"{"kind":"Region","metadata":{"name":"fra"},"spec":{"nodes":["a"],"nodes":["b"]}}"#
        let (body, duplicates) = try JSONValue.parsedWithDuplicates(Array(text.utf8))
        options.duplicateFields = duplicates
        let refused = await failure {
            _ = try await objects.api.create(body, try Objects.kind(Objects.region), namespace: "", options)
        }
        #expect(refused?.message == #"strict decoding error: duplicate field "spec.nodes""#)
    }

    @Test("with Warn, and where nothing is asked for, they are left out and told, with Ignore they are left out")
    func lenient() async throws {
        let warning = #"unknown field "spec.regoins""#
        for (query, warnings) in [
            ("", [warning]), ("fieldValidation=Warn", [warning]), ("fieldValidation=Ignore", []),
        ] {
            let objects = try await Objects()
            let outcome = try await objects.create(Self.typing, Objects.region, query)
            #expect(outcome.warnings == warnings)
            #expect(outcome.object["spec"] == ["location": ["latitude": 1.5, "longitude": 2.5]])
            let applied = try await objects.apply(
                Self.typing,
                Objects.region,
                "fieldManager=ci&\(query)"
            )
            #expect(applied.warnings == warnings)
            let patched = try await objects.patch(
                ["spec": ["x": 1]],
                Objects.region,
                query
            )
            #expect(patched.change == .unchanged && patched.warnings.count == warnings.count)
        }
    }

    @Test(
        "duplicate fields are found wherever they are, and the last value counts",
        arguments: [
            (#"{"a":1,"a":2}"#, ["a"]), (#"{"a":{"b":1,"b":2},"c":[{"d":1,"d":2}]}"#, ["a.b", "c[0].d"]),
            (#"{"a":1,"a":2,"a":3}"#, ["a", "a"]), (#"{"a":1}"#, []),
        ]
    )
    func duplicates(_ text: String, _ paths: [String]) throws {
        let (value, found) = try JSONValue.parsedWithDuplicates(Array(text.utf8))
        #expect(found.map(\.description) == paths)
        #expect(value == (try JSONValue(parsing: text, duplicateKeys: .lastWins)))
    }
}
