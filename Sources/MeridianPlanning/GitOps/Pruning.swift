// Pruning: which objects may be deleted since they left the files that declared them.
package import MeridianModel

/// What is to be done with owned objects that no file declares any more.
package struct PruneDecision: Sendable, Equatable {
    /// To be deleted; what refers to others comes first.
    package var prune: [ObjectKey] = []
    /// Left although gone from the files, each with the reason.
    package var kept: [KeptObject] = []
    /// Why nothing is deleted although it would be; nil where nothing stands against it.
    package var refusal: String?

    package init() {}
}

/// An object that is left although its files are gone.
package struct KeptObject: Sendable, Equatable {
    package let key: ObjectKey
    /// Follows the object's name in a sentence: `is protected: …`.
    package let why: String

    package init(_ key: ObjectKey, _ why: String) {
        self.key = key
        self.why = why
    }
}

/// Which of the `gone` objects may be deleted under a policy.
///
/// Ownership is the caller's to know: `gone` are objects that it recorded as its own and whose files were all read
/// without a problem. `owned` is how many it owns altogether, `commit` the state of the files that is asked about.
package func pruneDecision(
    gone: [ObjectKey],
    owned: Int,
    policy: PrunePolicy,
    commit: String?
) -> PruneDecision {
    var decision = PruneDecision()
    let ordered = gone.sorted { (applyRank(ofKind: $1.kind), $1) < (applyRank(ofKind: $0.kind), $0) }
    guard policy.enabled else {
        decision.kept = ordered.map { KeptObject($0, "is left: pruning is off") }
        return decision
    }
    let protected = Set(policy.protectedKinds)
    let candidates = ordered.filter { !protected.contains($0.kind) }
    decision.kept = ordered.filter { protected.contains($0.kind) }.map {
        KeptObject($0, "is left: a \($0.kind) is protected and deleted by hand alone")
    }
    let isApproved = commit != nil && policy.approvedCommit == commit
    guard !isApproved, let excess = excess(of: candidates.count, owned: owned, policy) else {
        decision.prune = candidates
        return decision
    }
    decision.refusal = excess
    decision.kept = candidates.map { KeptObject($0, "is left: too many would go at once") } + decision.kept
    return decision
}

/// The words for how a number of deletions exceeds the policy's bounds; nil where it does not.
private func excess(of count: Int, owned: Int, _ policy: PrunePolicy) -> String? {
    if count > policy.objectsMax { return "\(count) objects would be deleted; at most \(policy.objectsMax) go at once" }
    guard owned > 0, count * 100 > policy.percentMax * owned else { return nil }
    return "\(count) of \(owned) objects would be deleted; at most \(policy.percentMax) % go at once"
}
