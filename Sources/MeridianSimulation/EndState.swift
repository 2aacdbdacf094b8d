// EndState: what must hold when nothing is left to do, and what two runs of one script must have in common.
import MeridianModel
import MeridianPorts
import MeridianStore

/// The objects and the node at the end of a run.
struct EndState {
    private var apps: [App] = []
    private var revisions: [Revision] = []
    private var splits: [TrafficSplit] = []
    private var runnerObjects: Set<String> = []
    private let assignment: NodeAssignment
    private let runners: [RunnerReport]

    init(_ cluster: Cluster) async throws(StoreError) {
        assignment = cluster.node.assignment
        runners = cluster.node.runners
        for record in try await cluster.store.truth.snapshot(kinds: nil).records {
            var context = DecodingContext()
            switch Kind.named(record.key.kind)?.read(record.value, &context) {
            case let app as App: apps.append(app)
            case let revision as Revision: revisions.append(revision)
            case let split as TrafficSplit: splits.append(split)
            case is Runner: runnerObjects.insert(record.key.name)
            case nil: cluster.findings.add("\(record.key) cannot be read: \(context.problems.first?.message ?? "")")
            default: break
            }
        }
    }

    // MARK: Desired is actual

    /// Everything that is not as the files ask.
    var faults: [String] {
        apps.flatMap(faults(in:)) + revisions.flatMap(faults(in:)) + splits.flatMap(faults(in:)) + runnerFaults
    }

    private func faults(in app: App) -> [String] {
        guard app.metadata.deletionTimestamp == nil else { return ["\(app.key) is still being deleted"] }
        var faults: [String] = []
        let own = revisions.filter { $0.metadata.ownerReferences.first?.uid == app.metadata.uid }
        let source = SimulatedSource.number(of: app.spec.source.digest ?? .zero)
        guard let latest = own.last, latest.spec.template.source == app.spec.source.digest else {
            return ["\(app.key) has no revision of source \(source)"]
        }
        let isGood = source < SimulatedSource.buildFails
        let conditions = app.status.conditions
        if conditions.holds("Built") != (source < SimulatedSource.buildFails || source >= SimulatedSource.checkFails) {
            faults.append("\(app.key) with source \(source) has Built=\(conditions.holds("Built"))")
        }
        if conditions.holds("Ready") != isGood {
            faults.append("\(app.key) has Ready=\(!isGood) with source \(source)")
        }
        if app.status.observedGeneration != app.metadata.generation {
            faults.append("\(app.key) has an old observedGeneration")
        }
        let pin = app.metadata.annotations[OwnAnnotation.rollbackTo]
        if let wanted = pin ?? (isGood ? latest.metadata.name : nil), app.status.servingRevision != wanted {
            faults.append("\(app.key) is served by \(app.status.servingRevision ?? "none"), not by \(wanted)")
        }
        let host = "\(app.metadata.name).default.localhost"
        let backend = route(host)?.backends.first?.revision
        if backend != app.status.servingRevision.map({ "default/\($0)" }) {
            faults.append("\(host) leads to \(backend ?? "nothing"), not to \(app.status.servingRevision ?? "nothing")")
        }
        if let backend, ready(backend) < app.spec.scaling.min {
            faults.append("\(backend) has \(ready(backend)) ready runners, fewer than \(app.spec.scaling.min)")
        }
        let count = own.reduce(0) { $0 + ready($1.key.path) }
        if app.status.readyRunners != count {
            faults.append("\(app.key) says \(app.status.readyRunners) runners of \(count)")
        }
        return faults
    }

    private func faults(in revision: Revision) -> [String] {
        let uids = Set(apps.map(\.metadata.uid))
        guard uids.contains(revision.metadata.ownerReferences.first?.uid ?? "") else {
            return ["\(revision.key) is an orphan"]
        }
        var faults: [String] = []
        if let bundle = revision.status.bundle, let source = revision.spec.template.source,
            bundle != SimulatedSource.bundle(of: source)
        {
            faults.append("\(revision.key) has a bundle of another source")
        }
        if revision.status.readyRunners != ready(revision.key.path) {
            faults.append("\(revision.key) says \(revision.status.readyRunners) runners of \(ready(revision.key.path))")
        }
        return faults
    }

    private func faults(in split: TrafficSplit) -> [String] {
        let app = apps.first { $0.metadata.name == split.spec.app }
        guard let app else {
            return split.status.conditions.holds("Ready") ? ["\(split.key) is Ready without its app"] : []
        }
        guard app.status.servingRevision != nil else { return [] }
        let weights = split.spec.hosts.compactMap { route($0) }.map { $0.backends.reduce(0) { $0 + $1.weight } }
        return weights == [100] ? [] : ["\(split.key) shares out \(weights)"]
    }

    private var runnerFaults: [String] {
        let assigned = Set(assignment.revisions.map(\.key))
        let strays = runners.filter { !assigned.contains($0.revision) }
        var faults = strays.map { "\($0.id) runs \($0.revision), which is not assigned" }
        if Set(runners.map(\.id)) != runnerObjects { faults.append("the Runner objects are not those of the node") }
        return faults
    }

    private func route(_ host: String) -> HostRoute? { assignment.routes.hosts.first { $0.host == host } }

    private func ready(_ revision: String) -> Int {
        runners.count { $0.revision == revision && $0.state == .ready }
    }

    // MARK: The same as without faults

    /// What does not depend on the order of things: per app its source, conditions and, where it serves its newest
    /// revision, the source behind its host; and the hosts of splits.
    var summary: [String] {
        let words = apps.map { app in
            let source = SimulatedSource.number(of: app.spec.source.digest ?? .zero)
            let isPinned = app.metadata.annotations[OwnAnnotation.rollbackTo] != nil
            let conditions = ["Built", "Ready"].map { "\($0)=\(app.status.conditions.holds($0))" }.joined(
                separator: " "
            )
            let serving = revisions.first { $0.metadata.name == app.status.servingRevision }?.spec.template.source
            let isNewest = !isPinned && source < SimulatedSource.buildFails
            let served = isNewest ? " serves \(serving.map(SimulatedSource.number) ?? 0)" : ""
            return "\(app.key) source \(source) min \(app.spec.scaling.min) \(conditions)\(served)"
        }
        return words + splits.map { "\($0.key) of \($0.spec.app) hosts \($0.status.hosts)" }
    }
}
