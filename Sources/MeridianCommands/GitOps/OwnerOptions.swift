// OwnerOptions: under which name a set of manifests owns what it applies, and what goes with what left the set.

internal import ArgumentParser
internal import MeridianManifests
internal import MeridianModel
internal import MeridianPlanning

/// The label that says which set of manifests an object was applied from; its prefix is not that of what Meridian alone
/// writes, which no apply sets.
let ownerLabel = "owner.meridian.dev/name"

/// `--owner`: the record of ownership that pruning goes by.
struct OwnerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Label what is applied with this owner, so that a later --prune knows what came from these files.",
            valueName: "name"
        )
    )
    var owner: String?

    func validate() throws {
        guard let owner, !isDNSLabel(owner) else { return }
        throw ValidationError("--owner \"\(owner)\": use lower-case letters, digits and inner hyphens.")
    }

    /// The object with the owner's label, where there is an owner.
    func labelled(_ object: JSONValue) -> JSONValue {
        guard let owner, case .object(var result) = object else { return object }
        var metadata = result["metadata"]?.object ?? JSONObject()
        var labels = metadata["labels"]?.object ?? JSONObject()
        labels[ownerLabel] = .string(owner)
        metadata["labels"] = .object(labels)
        result["metadata"] = .object(metadata)
        return .object(result)
    }
}

/// `--prune` and its bounds.
struct PruneOptions: ParsableArguments {
    @Flag(help: "Delete what this owner applied before and the files no longer declare.") var prune = false

    @Option(help: ArgumentHelp("The most objects that --prune deletes at once.", valueName: "number"))
    var pruneMax = PrunePolicy().objectsMax

    @Flag(help: "Let --prune delete more than --prune-max, or more than half of what the owner has.")
    var allowLargePrune = false

    func validate() throws {
        guard pruneMax >= 0 else { throw ValidationError("--prune-max \(pruneMax): give 0 or more.") }
    }

    /// What of the owner's objects goes, now that `declared` was applied.
    ///
    /// The rules are those of a GitSource: recorded ownership alone, bounds, protected kinds.
    func decision(owned: [ObjectKey], declared: Set<ObjectKey>) -> PruneDecision {
        var policy = PrunePolicy()
        policy.enabled = true
        policy.objectsMax = pruneMax
        // These files have no commit; the flag stands for this one call.
        let call = "this call"
        if allowLargePrune { policy.approvedCommit = call }
        return pruneDecision(
            gone: owned.filter { !declared.contains($0) },
            owned: owned.count,
            policy: policy,
            commit: call
        )
    }
}

/// The objects of all declared kinds that carry an owner's label and are not being deleted.
func objects(ownedBy owner: String, _ api: any ControlPlaneAPI) async throws -> [(key: ObjectKey, uid: String?)] {
    var owned: [(key: ObjectKey, uid: String?)] = []
    for kind in Kind.all where kind.isDeclared {
        let query = ObjectQuery(kind: kind, namespace: nil, labels: "\(ownerLabel)=\(owner)", fields: nil)
        for item in try await api.list(query).items where item["metadata"]?["deletionTimestamp"] == nil {
            guard let name = item["metadata"]?["name"]?.string else { continue }
            let key = kind.key(name, namespace: item["metadata"]?["namespace"]?.string ?? "")
            owned.append((key, item["metadata"]?["uid"]?.string))
        }
    }
    return owned
}
