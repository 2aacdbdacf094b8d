// OwnershipTests: every block of Cases/*.txt, on the small schema and on Meridian's kinds.
import MeridianModel
import Testing

@testable import MeridianMerging

@Suite("Server-side apply, case by case")
struct OwnershipTests {
    @Test("on a small schema", arguments: OwnershipCase.read("ownership.txt"))
    func small(_ test: OwnershipCase) throws { try CaseRun(test, kind: nil).run() }

    @Test("on Meridian's kinds", arguments: OwnershipCase.read("kinds.txt"))
    func kinds(_ test: OwnershipCase) throws {
        let kind = try #require(test.steps.first { $0.verb == "kind" }?.operands.first.flatMap { Kind.named($0) })
        try CaseRun(test, kind: kind).run()
    }

    @Test("no two of the cases have one name")
    func count() {
        let cases = OwnershipCase.read("ownership.txt") + OwnershipCase.read("kinds.txt")
        #expect(cases.count >= 150)
        #expect(Set(cases.map(\.name)).count == cases.count)
    }
}

/// The state that one case goes through.
private final class CaseRun {
    private static let start = Timestamp(milliseconds: 1_775_217_600_000)

    private let test: OwnershipCase
    /// nil: the small schema.
    private let kind: Kind?
    private var object: JSONValue?
    private var managers = ManagedFields()
    private var before: (JSONValue?, ManagedFields) = (nil, ManagedFields())
    private var number = 0
    private var owners: [String] = []

    init(_ test: OwnershipCase, kind: Kind?) {
        self.test = test
        self.kind = kind
    }

    func run() throws {
        for step in test.steps { try perform(step) }
        guard !owners.isEmpty else { return }
        let isTimed = owners.contains { $0.contains(" @") }
        let expected = owners.map {
            $0.split(separator: " ").filter { isTimed || !$0.hasPrefix("@") }.joined(separator: " ")
        }
        let actual = managers.entries.map { entry in
            let name = entry.manager + (entry.subresource.isEmpty ? "" : "/\(entry.subresource)")
            let paths = entry.fields.paths.map { $0.map(\.description).joined() }
            let time = entry.time.map { ["@\(Self.step(at: $0))"] } ?? []
            let words = [name, entry.operation.rawValue.lowercased()] + (isTimed ? time : []) + paths
            return words.joined(separator: " ")
        }
        #expect(actual.sorted() == (expected == ["nobody"] ? [] : expected.sorted()))
    }

    private static func time(of step: Int) -> Timestamp {
        Timestamp(milliseconds: start.milliseconds + Int64(step) * 1000)
    }

    private static func step(at time: Timestamp) -> Int64 { (time.milliseconds - start.milliseconds) / 1000 }

    private func perform(_ step: OwnershipCase.Step) throws {
        let place = Comment(rawValue: "\(test.file):\(step.line)")
        switch step.verb {
        case "kind": break
        case "is":
            #expect(
                object?.isSame(as: whole(try #require(step.value, place))) ?? false,
                "\(place): \(object?.text() ?? "")"
            )
        case "owner": owners.append(step.operands.joined(separator: " "))
        case "nobody": owners.append("nobody")
        case "same": #expect(object == before.0 && managers == before.1, place)
        case "untrack":
            number += 1
            managers = ManagedFields()
        case "loop":
            number += 1
            var members = whole(try #require(step.value, place)).object ?? JSONObject()
            var metadata = members["metadata"]?.object ?? JSONObject()
            metadata["managedFields"] = managers.json
            members["metadata"] = .object(metadata)
            try store(.object(members))
        default:
            number += 1
            try write(step, place)
        }
    }

    private func write(_ step: OwnershipCase.Step, _ place: Comment) throws {
        let value = whole(try #require(step.value, place))
        do throws(MergeError) {
            before = (object, managers)
            try perform(step.verb, step.operands[0], value)
            #expect(!["clash", "fails"].contains(step.verb), place)
        } catch {
            switch step.verb {
            case "clash":
                let conflicts = error.conflicts.map { "\($0.owner.manager) \($0.pathText)" }
                #expect(conflicts.joined(separator: ", ") == step.expectation, place)
            case "fails": #expect("\(error.path): \(error.message)" == step.expectation, place)
            default: Issue.record("\(place): \(error.message)")
            }
        }
    }

    private func perform(_ verb: String, _ name: String, _ value: JSONValue) throws(MergeError) {
        let parts = name.split(separator: "/").map(String.init)
        let isForced = verb == "force"
        guard let kind else {
            let operation: ManagedFieldsEntry.Operation = verb == "update" ? .update : .apply
            let entry = ManagedFieldsEntry(manager: parts[0], operation: operation, time: Self.time(of: number))
            let ownership = FieldOwnership(schema: OwnershipCase.schema)
            if verb == "update" {
                managers = try ownership.update(from: object, to: value, managers, as: entry)
                object = value
            } else {
                let result = try ownership.apply(value, to: object, managers, as: entry, isForced: isForced)
                (object, managers) = (result.object, result.managers)
            }
            return
        }
        let part = parts.count > 1 ? ObjectPart.status : .main
        let write = ManagedWrite(kind: kind, part: part, manager: parts[0], now: Self.time(of: number))
        let live = object.map { managed($0) }
        switch (verb, live) {
        case ("create", _): try store(try write.creating(value))
        case ("update", let live?): try store(try write.replacing(live, with: value))
        default: try store(try write.applying(value, to: live, isForced: isForced))
        }
    }

    private func managed(_ object: JSONValue) -> JSONValue {
        var metadata = object["metadata"]?.object ?? JSONObject()
        metadata["managedFields"] = managers.json
        var members = object.object ?? JSONObject()
        members["metadata"] = .object(metadata)
        return .object(members)
    }

    /// The object as a server would store it: read by its kind, without defaults.
    private func store(_ value: JSONValue) throws(MergeError) {
        var context = DecodingContext()
        guard var read = kind?.read(value, &context) else {
            Issue.record("not stored: \(context.problems.map(\.message))")
            return
        }
        managers = try ManagedFields(of: value)
        read.metadata.managedFields = []
        object = read.encoded()
    }

    /// The value with what every object of a kind has.
    private func whole(_ value: JSONValue) -> JSONValue {
        guard let kind else { return value }
        var members = value.object ?? JSONObject()
        var metadata = value["metadata"]?.object ?? JSONObject()
        metadata["name"] = "r"
        members["apiVersion"] = .string(apiVersionText)
        members["kind"] = .string(kind.name)
        members["metadata"] = .object(metadata)
        return .object(members)
    }
}
