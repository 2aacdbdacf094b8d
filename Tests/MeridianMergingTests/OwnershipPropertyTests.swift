// OwnershipPropertyTests: what holds for every object, on random ones.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Server-side apply on random objects")
struct OwnershipPropertyTests {
    private static let ownership = FieldOwnership(schema: OwnershipCase.schema)

    private func entry(_ manager: String, _ step: Int = 0) -> ManagedFieldsEntry {
        ManagedFieldsEntry(manager: manager, operation: .apply, time: Timestamp(milliseconds: Int64(step) * 1000))
    }

    private func forced(
        _ config: JSONValue,
        _ state: FieldOwnership.Managed?,
        _ manager: String,
        _ step: Int = 0
    ) throws -> FieldOwnership.Managed {
        try Self.ownership.apply(
            config,
            to: state?.object,
            state?.managers ?? ManagedFields(),
            as: entry(manager, step),
            isForced: true
        )
    }

    @Test("applying twice is applying once", arguments: 0..<300)
    func idempotent(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var state: FieldOwnership.Managed?
        for step in 0..<6 {
            let manager = ["ci", "ops", "dev"].randomElement(using: &random) ?? "ci"
            let config = random.object()
            let once = try forced(config, state, manager, step)
            let twice = try forced(config, once, manager, step + 100)
            #expect(twice == once)
            state = once
        }
    }

    @Test("everything in the object is owned by somebody, and what was applied last is in it", arguments: 0..<300)
    func owned(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var state: FieldOwnership.Managed?
        for _ in 0..<6 {
            let manager = ["ci", "ops", "dev"].randomElement(using: &random) ?? "ci"
            let config = random.object()
            let next = try forced(config, state, manager)
            state = next
            let all = try OwnershipCase.schema.fieldSet(of: next.object)
            let wish = try OwnershipCase.schema.fieldSet(of: config)
            let leaves = try OwnershipCase.schema.comparison(from: config, to: next.object)
            #expect(leaves.removed.isEmpty, "\(config.text()) in \(next.object.text())")
            #expect(leaves.modified.intersection(wish).paths.allSatisfy { path in isVoid(path, in: config) })
            #expect(all.subtracting(next.managers.union).paths.allSatisfy { path in isNull(path, in: next.object) })
        }
    }

    /// Empty objects and lists take nothing away: what is below them may differ.
    private func isVoid(_ path: [PathElement], in object: JSONValue) -> Bool {
        (value(path, in: object) as JSONValue?).isVoid
    }

    private func isNull(_ path: [PathElement], in object: JSONValue) -> Bool {
        value(path, in: object)?.isNull ?? false
    }

    private func value(_ path: [PathElement], in object: JSONValue) -> JSONValue? {
        path.reduce(object) { value, element in
            if case .field(let name) = element { value?[name] } else { nil }
        }
    }

    @Test("managers that do not conflict may apply in any order", arguments: 0..<300)
    func orderIndependent(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let configs = ["ci", "ops", "dev"].map { ($0, random.object()) }
        func end(_ order: [(String, JSONValue)]) throws -> FieldOwnership.Managed? {
            try order.reduce(FieldOwnership.Managed?.none) { state, step in
                try Self.ownership.apply(
                    step.1,
                    to: state?.object,
                    state?.managers ?? ManagedFields(),
                    as: entry(step.0),
                    isForced: false
                )
            }
        }
        do {
            let first = try end(configs)
            let second = try end(configs.reversed())
            // Conflicts come with any order or with none, and the order of list items is that of who came last.
            let change = try OwnershipCase.schema.comparison(from: first?.object, to: second?.object)
            #expect(change.isEmpty)
            #expect(first?.managers == second?.managers)
        } catch let error as MergeError {
            #expect(error.code == .conflict)
        }
    }

    @Test("a merge with nothing, and a comparison with itself, change nothing", arguments: 0..<100)
    func neutral(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let object = random.object()
        let schema = OwnershipCase.schema
        #expect(try schema.merged(object, with: [:]) == object)
        #expect(try schema.merged(object, with: object) == object)
        #expect(try schema.comparison(from: object, to: object).isEmpty)
        #expect(try schema.removing(FieldSet(), from: object) == object)
        let all = schema.named(try schema.fieldSet(of: object))
        let rest = try schema.removing(all, from: object)
        #expect(try schema.fieldSet(of: rest).isEmpty)
    }
}
