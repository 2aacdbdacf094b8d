// PruningTests: what may be deleted: tables of what is gone, the policy, and the answer.
import MeridianModel
import MeridianPlanning
import Testing

@Suite("Pruning")
struct PruningTests {
    private static func app(_ name: String) -> ObjectKey { ObjectKey(kind: "App", namespace: "default", name: name) }
    private static let region = ObjectKey(kind: "Region", name: "fra")
    private static let split = ObjectKey(kind: "TrafficSplit", namespace: "default", name: "shop")

    private func policy(_ change: (inout PrunePolicy) -> Void = { _ in }) -> PrunePolicy {
        var policy = PrunePolicy()
        policy.enabled = true
        change(&policy)
        return policy
    }

    @Test("it is off by default, and then everything is left")
    func off() {
        let decision = pruneDecision(gone: [Self.app("a")], owned: 10, policy: PrunePolicy(), commit: nil)
        #expect(decision.prune == [])
        #expect(decision.kept.map(\.key) == [Self.app("a")])
        #expect(decision.refusal == nil)
    }

    @Test("what refers to others goes first")
    func order() {
        let decision = pruneDecision(gone: [Self.app("a"), Self.split], owned: 10, policy: policy(), commit: nil)
        #expect(decision.prune == [Self.split, Self.app("a")])
    }

    @Test("a protected kind is left, the others go")
    func protected() {
        let decision = pruneDecision(gone: [Self.region, Self.app("a")], owned: 10, policy: policy(), commit: nil)
        #expect(decision.prune == [Self.app("a")])
        #expect(decision.kept.map(\.key) == [Self.region])
        let open = pruneDecision(
            gone: [Self.region],
            owned: 10,
            policy: policy { $0.protectedKinds = [] },
            commit: nil
        )
        #expect(open.prune == [Self.region])
    }

    /// Gone, owned, the most at once, the largest share, the approved commit, whether it is refused.
    @Test(
        "beyond either bound nothing is deleted, unless this very commit is approved",
        arguments: [
            (1, 2, 10, 50, nil, false), (2, 3, 10, 50, nil, true), (10, 1000, 10, 50, nil, false),
            (11, 1000, 10, 50, nil, true), (11, 1000, 11, 1, nil, true), (1, 1, 10, 50, nil, true),
            (1, 1, 10, 100, nil, false), (1000, 1000, 10, 50, "other", true), (1000, 1000, 10, 50, "this", false),
            (0, 0, 0, 0, nil, false), (1, 10, 0, 100, nil, true),
        ] as [(Int, Int, Int, Int, String?, Bool)]
    )
    func bounds(gone: Int, owned: Int, most: Int, percent: Int, approved: String?, isRefused: Bool) {
        let decision = pruneDecision(
            gone: (0..<gone).map { Self.app("app-\($0)") },
            owned: owned,
            policy: policy {
                $0.objectsMax = most
                $0.percentMax = percent
                $0.approvedCommit = approved
            },
            commit: "this"
        )
        #expect((decision.refusal != nil) == isRefused)
        #expect(decision.prune.count == (isRefused ? 0 : gone))
    }
}
