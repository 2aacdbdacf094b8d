// GitDecision: from a commit, what is owned and what is live to what is applied, kept, pruned and refused.
package import MeridianModel

/// Everything that the decision about one GitSource depends on.
package struct GitSituation: Sendable {
    /// The GitSource's name.
    package var source: String
    package var spec: GitSourceSpec
    /// The commit as it was read.
    package var reading: GitReading
    /// What the source applied before, and answers for.
    package var inventory: [OwnedObject]
    /// The live objects among those that are declared or owned.
    package var live: [ObjectKey: any APIObject]
    /// Objects that this version cannot read: there, but unknown.
    package var unreadable: Set<ObjectKey>
    /// Objects that another GitSource answers for, and its name.
    package var claims: [ObjectKey: String]

    package init(
        source: String,
        spec: GitSourceSpec,
        reading: GitReading,
        inventory: [OwnedObject] = [],
        live: [ObjectKey: any APIObject] = [:],
        unreadable: Set<ObjectKey> = [],
        claims: [ObjectKey: String] = [:]
    ) {
        self.source = source
        self.spec = spec
        self.reading = reading
        self.inventory = inventory
        self.live = live
        self.unreadable = unreadable
        self.claims = claims
    }

    /// The manager that the source's fields are applied as.
    package var manager: String { gitManager(of: source) }
}

/// The manager that a GitSource applies as.
package func gitManager(of source: String) -> String { "gitsource/\(source)" }

/// What is to be done for one GitSource.
package struct GitDecision: Sendable, Equatable {
    /// To be applied, in this order.
    package var apply: [GitObject] = []
    /// Live as the commit says.
    package var keep: [ObjectKey] = []
    /// To be deleted, once all is applied.
    package var prune: [OwnedObject] = []
    /// Gone from the files and left, with the reason.
    package var kept: [KeptObject] = []
    /// Owned objects that are nobody's to keep any more: they are gone, were made anew by others, or belong to another
    /// GitSource now.
    package var forget: [ObjectKey] = []
    /// Owned objects that are not what the commit says and are left so.
    package var drift: [DriftedObject] = []
    /// What is wrong with the commit's files, and what may not be applied.
    package var problems: [GitProblem] = []
    /// Why nothing is pruned although it would be.
    package var pruneRefusal: String?
    /// Records whose object was changed elsewhere in fields that are not the source's: what they shall say now.
    package var agreed: [OwnedObject] = []

    package init() {}
}

/// What is to be done so that the live objects are what the commit says.
///
/// Pure and total. A file with a problem removes nothing: while there is any, nothing is pruned; under `atomic`
/// nothing is applied either.
package func gitDecision(_ situation: GitSituation) -> GitDecision {
    var decision = GitDecision()
    decision.problems = situation.reading.problems
    let records = Dictionary(situation.inventory.map { ($0.key, $0) }) { first, _ in first }
    let declared = situation.reading.objects.sorted {
        (applyRank(ofKind: $0.key.kind), $0.key) < (applyRank(ofKind: $1.key.kind), $1.key)
    }
    for object in declared { decide(object, records[object.key], situation, &decision) }
    let keys = Set(declared.map(\.key))
    decideGone(situation.inventory.filter { !keys.contains($0.key) }, situation, &decision)
    if situation.spec.atomic, !decision.problems.isEmpty {
        decision.apply = []
        decision.prune = []
    }
    return decision
}

private func decide(
    _ object: GitObject,
    _ record: OwnedObject?,
    _ situation: GitSituation,
    _ decision: inout GitDecision
) {
    let key = object.key
    if let other = situation.claims[key] {
        let words = "\(key) belongs to GitSource \(other) already. Remove it from one of the two repositories"
        decision.problems.append(GitProblem(file: object.file, line: object.line, column: 1, message: words))
        return
    }
    guard !situation.unreadable.contains(key) else {
        let words = "\(key) is stored in a form that this version cannot read, and is left as it is"
        decision.problems.append(GitProblem(file: object.file, line: object.line, column: 1, message: words))
        return
    }
    let isNew = record?.applied != object.digest
    guard let live = situation.live[key] else {
        let isRemoved = !isNew && situation.spec.drift == .report
        if isRemoved {
            decision.drift.append(DriftedObject(key, fields: [], "was deleted; commit it away or apply it again"))
        } else {
            decision.apply.append(object)
        }
        return
    }
    guard live.metadata.deletionTimestamp == nil else {
        decision.drift.append(DriftedObject(key, fields: [], "is being deleted; it is applied again once it is gone"))
        return
    }
    guard !isNew, let record else {
        decision.apply.append(object)
        return
    }
    decideChanged(object, record, live, situation, &decision)
}

/// What is to be done with an object that was applied from these very lines.
private func decideChanged(
    _ object: GitObject,
    _ record: OwnedObject,
    _ live: any APIObject,
    _ situation: GitSituation,
    _ decision: inout GitDecision
) {
    let isSame = live.metadata.uid == record.uid
    if isSame, live.metadata.generation == record.generation, hasMetadata(of: object.config, live) {
        decision.keep.append(object.key)
        return
    }
    let fields = driftedFields(config: object.config, live: live)
    guard isSame, fields.isEmpty else {
        if situation.spec.drift == .selfHeal {
            decision.apply.append(object)
        } else {
            let words = isSame ? "was changed elsewhere" : "was deleted and made anew elsewhere"
            decision.drift.append(DriftedObject(object.key, fields: fields, words))
        }
        return
    }
    decision.keep.append(object.key)
    var agreed = record
    agreed.generation = live.metadata.generation
    decision.agreed.append(agreed)
}

/// What is to be done with owned objects that no file declares.
private func decideGone(_ gone: [OwnedObject], _ situation: GitSituation, _ decision: inout GitDecision) {
    guard decision.problems.isEmpty else {
        // A file that cannot be read may be the one that declares them.
        let words = "is left: the commit has files with problems, which may declare it"
        decision.kept = gone.map { KeptObject($0.key, words) }
        return
    }
    var candidates: [OwnedObject] = []
    for record in gone {
        guard !situation.unreadable.contains(record.key) else {
            decision.kept.append(KeptObject(record.key, "is left: this version cannot read it"))
            continue
        }
        guard situation.claims[record.key] == nil, let live = situation.live[record.key],
            owns(record, live, as: situation.manager)
        else {
            decision.forget.append(record.key)
            continue
        }
        if live.metadata.deletionTimestamp == nil {
            candidates.append(record)
        } else {
            decision.kept.append(KeptObject(record.key, "is being deleted"))
        }
    }
    let pruning = pruneDecision(
        gone: candidates.map(\.key),
        owned: situation.inventory.count,
        policy: situation.spec.prune,
        commit: situation.reading.commit.id
    )
    let records = Dictionary(candidates.map { ($0.key, $0) }) { first, _ in first }
    decision.prune = pruning.prune.compactMap { key in
        var record = records[key]
        // What is deleted is the object that was looked at, and no other of its name.
        record?.uid = situation.live[key]?.metadata.uid ?? ""
        return record
    }
    decision.kept += pruning.kept
    decision.pruneRefusal = pruning.refusal
}

/// Whether a live object is the one that was recorded.
///
/// A record without a uid was written before its object was applied; then the object itself says who applied it.
private func owns(_ record: OwnedObject, _ live: any APIObject, as manager: String) -> Bool {
    guard record.uid.isEmpty else { return record.uid == live.metadata.uid }
    return live.metadata.managedFields.contains { $0["manager"]?.string == manager }
}
