// MergeCorpusTests: the cases of Kubernetes' own merge library, as data.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Server-side apply on the cases of structured-merge-diff")
struct MergeCorpusTests {
    @Test("every case ends with the expected object, owners and conflicts")
    func cases() throws {
        guard let document = corpus("structured-merge-diff/merge_cases.json") else { return }
        let cases = document["cases"]?.array ?? []
        #expect(cases.count == 47)
        for test in cases { try run(test, schema: schema(of: test, in: document)) }
    }

    private func run(_ test: JSONValue, schema: MergeSchema) throws {
        let name = Comment(rawValue: "\(test["func"]?.string ?? "")/\(test["name"]?.string ?? "")")
        let ownership = FieldOwnership(schema: schema)
        var state = FieldOwnership.Managed(object: .null, managers: ManagedFields())
        for step in test["ops"]?.array ?? [] {
            do throws(MergeError) {
                state = try performed(step, state, ownership)
                #expect(step["conflicts"] == nil, name)
            } catch {
                let expected = try (step["conflicts"]?.array ?? []).map { conflict in
                    "\(conflict["manager"]?.string ?? "") \(try path(conflict["path"]).map(\.description).joined())"
                }
                #expect(error.conflicts.map { "\($0.owner.manager) \($0.pathText)" } == expected, name)
            }
        }
        if let object = test["object"] { #expect(state.object == object, name) }
        if case .object(let managed)? = test["managed"] {
            let expected = try managed.members.map { member in
                FieldSet(try (member.value["paths"]?.array ?? []).map { try path($0) })
            }
            let actual = managed.keys.map { manager in
                state.managers.entries.first { $0.manager == manager }?.fields ?? FieldSet()
            }
            #expect(actual == expected, name)
            #expect(state.managers.entries.count == managed.count, name)
        }
    }

    private func performed(_ step: JSONValue, _ state: FieldOwnership.Managed, _ ownership: FieldOwnership)
        throws(MergeError) -> FieldOwnership.Managed
    {
        let operation = step["op"]?.string ?? ""
        let object = step["object"] ?? .null
        let entry = ManagedFieldsEntry(
            manager: step["manager"]?.string ?? "",
            operation: operation == "Update" ? .update : .apply,
            apiVersion: step["version"]?.string ?? ""
        )
        if operation == "Update" {
            let managers = try ownership.update(from: state.object, to: object, state.managers, as: entry)
            return FieldOwnership.Managed(object: object, managers: managers)
        }
        let isForced = operation == "ForceApply"
        return try ownership.apply(object, to: state.object, state.managers, as: entry, isForced: isForced)
    }

    private func path(_ value: JSONValue?) throws -> [PathElement] {
        try (value?.array ?? []).map { step in
            let member = try #require(step.object?.members.first)
            switch member.key {
            case "f": return .field(member.value.string ?? "")
            case "k": return .key((member.value.object?.members ?? []).map { (name: $0.key, value: $0.value) })
            case "v": return .item(member.value)
            default: return .index(Int(member.value.integer ?? -1))
            }
        }
    }

    // MARK: the corpus' schemas

    private func schema(of test: JSONValue, in document: JSONValue) -> MergeSchema {
        let parser = document["parsers"]?[test["parser"]?.string ?? ""]
        let types = parser?["types"]?.array ?? []
        guard !types.isEmpty else { return .deduced }
        let root = parser?["type"]?.string ?? test["version"]?.string ?? ""
        let named = types.map { ($0["name"]?.string ?? "", type($0)) }
        return MergeSchema(root: .named(root), types: Dictionary(named) { first, _ in first })
    }

    private func type(_ value: JSONValue?) -> MergeType {
        if let name = value?["namedType"]?.string { return .named(name) }
        if let map = value?["map"] {
            if map["elementRelationship"] == "atomic" { return .atomic }
            let fields = (map["fields"]?.array ?? []).map { ($0["name"]?.string ?? "", type($0["type"])) }
            return .map(fields: Dictionary(fields) { first, _ in first }, others: map["elementType"].map { type($0) })
        }
        guard let list = value?["list"] else { return .scalar }
        guard list["elementRelationship"] == "associative" else { return .atomic }
        let keys = (list["keys"]?.array ?? []).compactMap(\.string).map { MergeType.ListKey($0) }
        return keys.isEmpty ? .set : .keyed(keys, item: type(list["elementType"]))
    }
}
