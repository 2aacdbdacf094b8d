// LargeObjectTests: objects of a size that any client may send are merged in time linear in it.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Large objects")
struct LargeObjectTests {
    /// Far more than any object has, and far too many to look each up among all.
    private static let count = 10_000

    private static let object: JSONValue = {
        let members = (0..<count).map { JSONObject.Member(key: "k\($0)", value: .integer(Int64($0))) }
        return ["map": .object(JSONObject(members)), "set": .array((0..<count).map { .integer(Int64($0)) })]
    }()

    @Test("an apply of many keys and items ends soon", .timeLimit(.minutes(1)))
    func apply() throws {
        let ownership = FieldOwnership(schema: OwnershipCase.schema)
        let entry = ManagedFieldsEntry(manager: "ci", operation: .apply)
        let none = ManagedFields()
        let first = try ownership.apply(Self.object, to: nil, none, as: entry, isForced: false)
        let second = try ownership.apply(Self.object, to: first.object, first.managers, as: entry, isForced: false)
        let isSame = second == first
        #expect(isSame)
        #expect(first.managers.entries.first?.fields.paths.count == 2 * Self.count)
    }

    @Test("a merge patch of many keys ends soon", .timeLimit(.minutes(1)))
    func mergePatch() {
        let isSame = mergePatched(Self.object, with: Self.object) == Self.object
        #expect(isSame)
    }

    @Test("many given managers are read and capped in one go", .timeLimit(.minutes(1)))
    func managers() {
        let entries = (0..<Self.count).map { number in
            ManagedFieldsEntry(
                manager: "m\(number)",
                operation: .update,
                fields: FieldSet([[.field("map"), .field("k\(number)")]])
            )
        }
        var managers = ManagedFields(entries)
        managers.capUpdaters()
        #expect(managers.entries.count == ManagedFields.updatersMax)
        #expect(managers.union.paths.count == Self.count)
    }
}
