// StoreModelTests: random histories against a model that is too simple to be wrong.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianStore

@Suite("Random operations")
struct StoreModelTests {
    /// What a store is, without anything that makes it fast or safe.
    private struct Model {
        var objects: [ObjectKey: StoreRecord] = [:]
        var revision: Int64 = 0
        var events: [StoreEvent] = []

        mutating func commit(_ operations: [StoreOperation]) -> Bool {
            var after = objects
            for operation in operations {
                switch operation {
                case .put(let key, let value, let expectation, _):
                    guard expectation.holds(for: after[key]) else { return false }
                    if after[key]?.value == value { continue }
                    let created = after[key]?.createRevision ?? revision + 1
                    after[key] = StoreRecord(
                        key: key,
                        value: value,
                        createRevision: created,
                        modRevision: revision + 1
                    )
                case .delete(let key, let expectation):
                    guard expectation.holds(for: after[key]) else { return false }
                    after[key] = nil
                case .check(let key, let expectation):
                    guard expectation.holds(for: after[key]) else { return false }
                }
            }
            if after == objects { return true }
            revision += 1
            for key in Set(objects.keys).union(after.keys).sorted() where objects[key] != after[key] {
                events.append(
                    StoreEvent(revision: revision, key: key, record: after[key], previous: objects[key])
                )
            }
            objects = after
            return true
        }
    }

    @Test("leave every store as they leave the model", arguments: Engine.allCases, [1, 2, 3, 4, 5, 6] as [UInt64])
    func againstModel(engine: Engine, seed: UInt64) async throws {
        try await engine.withStore { store, _ in
            var random = SeededGenerator(seed: seed)
            var model = Model()
            for _ in 0..<300 {
                let operations = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    operation(model.revision, &random)
                }
                let accepted = model.commit(operations)
                do throws(StoreError) {
                    let revision = try await store.commit(operations)
                    #expect(accepted)
                    #expect(revision == model.revision)
                } catch {
                    #expect(!accepted)
                    #expect(error.code == .conflict)
                }
            }
            let snapshot = try await store.snapshot(kinds: nil)
            #expect(snapshot.records == model.objects.values.sorted { $0.key < $1.key })
            let start = Int64.random(in: 0...model.revision, using: &random)
            let expected = model.events.filter { $0.revision > start }
            let events = try await store.events(after: start, count: expected.count)
            // The order within a transaction is that of its operations; the model sorts by key.
            #expect(events.sorted { ($0.revision, $0.key) < ($1.revision, $1.key) } == expected)
        }
    }

    private func operation(_ revision: Int64, _ random: inout SeededGenerator) -> StoreOperation {
        let key = ObjectKey.app("a\(Int.random(in: 0..<5, using: &random))")
        let expectation: StoreExpectation =
            switch Int.random(in: 0..<6, using: &random) {
            case 0: .absent
            case 1: .modRevision(Int64.random(in: max(0, revision - 6)...(revision + 1), using: &random))
            default: .any
            }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .check(key, expectation)
        case 1, 2: return .delete(key, expectation)
        default: return .put(key, .integer(Int64.random(in: 0..<3, using: &random)), expectation)
        }
    }
}

extension StoreExpectation {
    fileprivate func holds(for record: StoreRecord?) -> Bool {
        switch self {
        case .any: true
        case .absent: record == nil
        case .modRevision(let revision): record?.modRevision == revision
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
