// GitSync: what to do now for each GitSource: look, apply, prune, and what to say of it.
import MeridianModel

/// Objects that one step applies: a thousand go together in well under a second, and then the loop looks up again.
private let appliedTogetherMax = 1000

/// Makes the platform agree with the repositories of all GitSources.
func gitSync(in world: World) -> Plan {
    var plan = Plan()
    guard world.gitSources.count > 0 else { return plan }
    let claims = GitClaims(world.gitSources)
    for source in world.gitSources where source.object.metadata.deletionTimestamp == nil {
        plan.append(sync(source, claims, in: world))
    }
    return plan
}

private func sync(_ stored: Stored<GitSource>, _ claims: GitClaims, in world: World) -> Plan {
    let source = stored.object
    let view = world.gitViews[source.key] ?? GitView()
    let kind = GitLook.Kind.manifests(source.spec)
    var plan = Plan()
    let credentials = world.credentials(for: source.spec.credentials?.key)
    if !source.spec.suspend, case .success(let sealed) = credentials {
        plan.append(
            look(at: kind, of: source.key, uid: source.metadata.uid, every: source.spec.interval, sealed, world)
        )
    }
    let reading = source.spec.suspend ? nil : view.reading(under: kind)
    let work = reading.map { GitWork(stored, $0, view, claims, in: world) }
    var status = GitStatusWords(source, view, work, missingSecret: credentials.missing, now: world.now).status
    status.inventory = work?.inventory ?? recorded(source.status.inventory, view.writes)
    let isSettled = view.writes.values.contains { if case .applied = $0 { true } else { false } }
    plan.append(
        statusWrite(
            of: stored,
            status,
            events: gitEvents(from: source.status, to: status, of: source, work),
            settles: isSettled ? source.key : nil,
            because: "what is known of its repository changed"
        )
    )
    if let work { plan.append(steps(of: work, stored)) }
    return plan
}

private func steps(of work: GitWork, _ stored: Stored<GitSource>) -> Plan {
    let source = stored.object
    var plan = Plan()
    if let retryAt = work.retryAt { plan.wakeAt = retryAt }
    if !work.apply.isEmpty {
        let apply = GitApply(
            source: Fence(stored),
            generation: source.metadata.generation,
            manager: gitManager(of: source.metadata.name),
            objects: Array(work.apply.prefix(source.spec.atomic ? work.apply.count : appliedTogetherMax)),
            force: source.spec.drift == .selfHeal,
            isAtomic: source.spec.atomic
        )
        plan.add(.applyGit(apply), for: source.key, because: "commit \(work.reading.commit.short) says so")
    } else if !work.prune.isEmpty, work.failed.isEmpty {
        let prune = GitPrune(source: Fence(stored), generation: source.metadata.generation, objects: work.prune)
        plan.add(.pruneGit(prune), for: source.key, because: "commit \(work.reading.commit.short) has them no more")
    }
    return plan
}

/// Which GitSource answers for which objects.
struct GitClaims {
    private var owners: [ObjectKey: [String]] = [:]

    init(_ sources: ObjectTable<GitSource>) {
        for source in sources {
            for record in source.object.status.inventory {
                owners[record.key, default: []].append(source.object.metadata.name)
            }
        }
    }

    /// The objects that others than `source` answer for.
    func claims(beside source: String, among keys: some Sequence<ObjectKey>) -> [ObjectKey: String] {
        var claims: [ObjectKey: String] = [:]
        for key in keys { claims[key] = owners[key]?.first { $0 != source } }
        return claims
    }
}

/// What is to be done for one commit of one GitSource, with how earlier writes went taken in.
struct GitWork {
    let reading: GitReading
    let decision: GitDecision
    /// To be applied now.
    let apply: [GitObject]
    /// To be deleted once nothing is left to apply.
    let prune: [OwnedObject]
    /// Writes that failed and wait for their next try, by object.
    let failed: [ObjectKey: GitWriteOutcome]
    /// The record of ownership as it shall be before anything is applied.
    let inventory: [OwnedObject]
    /// When the first failed write is tried again.
    let retryAt: Timestamp?
    /// Objects that are applied although they were before: somebody changed them.
    let healed: [ObjectKey]

    init(
        _ stored: Stored<GitSource>,
        _ reading: GitReading,
        _ view: GitView,
        _ claims: GitClaims,
        in world: World
    ) {
        let source = stored.object
        let before = recorded(source.status.inventory, view.writes)
        let keys = Set(reading.objects.map(\.key)).union(before.map(\.key))
        var live: [ObjectKey: any APIObject] = [:]
        for key in keys { live[key] = world.object(key) }
        let decision = gitDecision(
            GitSituation(
                source: source.metadata.name,
                spec: source.spec,
                reading: reading,
                inventory: before,
                live: live,
                unreadable: world.unreadable,
                claims: claims.claims(beside: source.metadata.name, among: keys)
            )
        )
        let digests = Dictionary(decision.apply.map { ($0.key, $0.digest) }) { first, _ in first }
        let pruned = Set(decision.prune.map(\.key))
        let failed = view.writes.filter { key, outcome in
            guard case .failed(let digest, _, _, let until) = outcome, until > world.now else { return false }
            return digest.isEmpty ? pruned.contains(key) : digests[key] == digest
        }
        // One that cannot be applied holds the others up where they stand or fall together.
        let waits = source.spec.atomic && !failed.isEmpty
        self.reading = reading
        self.decision = decision
        self.failed = failed
        apply = waits ? [] : decision.apply.filter { failed[$0.key] == nil }
        prune = decision.prune.filter { failed[$0.key] == nil }
        retryAt = failed.values.compactMap { if case .failed(_, _, _, let until) = $0 { until } else { nil } }.min()
        let records = Dictionary(before.map { ($0.key, $0) }) { first, _ in first }
        healed = apply.filter { records[$0.key]?.applied == $0.digest }.map(\.key)
        inventory = Self.inventory(records, decision, apply)
    }

    /// The record with what is about to be applied, so that a crash in between leaves no object without an owner.
    private static func inventory(
        _ records: [ObjectKey: OwnedObject],
        _ decision: GitDecision,
        _ apply: [GitObject]
    ) -> [OwnedObject] {
        var records = records
        for key in decision.forget { records[key] = nil }
        for record in decision.agreed { records[record.key] = record }
        for object in apply where records[object.key] == nil { records[object.key] = OwnedObject(object.key) }
        return records.values.sorted { $0.key < $1.key }
    }

    /// Whether everything that the commit declares is there, and nothing else that the source owns.
    var isDone: Bool {
        decision.problems.isEmpty && decision.apply.isEmpty && decision.prune.isEmpty && decision.pruneRefusal == nil
    }
}

/// A record of ownership with the writes that went through since; sorted.
private func recorded(_ inventory: [OwnedObject], _ writes: [ObjectKey: GitWriteOutcome]) -> [OwnedObject] {
    guard !writes.isEmpty else { return inventory }
    var records = Dictionary(inventory.map { ($0.key, $0) }) { first, _ in first }
    for (key, outcome) in writes { if case .applied(let record) = outcome { records[key] = record } }
    return records.values.sorted { $0.key < $1.key }
}
