// ApplyOrder: which kinds are written first when many objects are applied together.

/// Kinds that others refer to, first.
private let kindsByRank = [
    "Namespace", RegionSpec.kind, SyscallAllowlistSpec.kind, EdgePolicySpec.kind, Secret.kind, AppSpec.kind,
    TrafficSplitSpec.kind,
    GitSourceSpec.kind,
]

/// The place of a kind when objects are applied together: lower ones first, so that nothing waits for an object that is
/// about to follow; deletions go the other way.
///
/// A kind that is not in the list comes after those that are.
package func applyRank(ofKind kind: String) -> Int { kindsByRank.firstIndex(of: kind) ?? kindsByRank.count }
