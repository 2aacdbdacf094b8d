// Scene: builds worlds in a few words, and carries plans out as if every step succeeded.
import MeridianModel
import MeridianPlanning

/// A world under construction, of apps in namespace `default` and one node.
struct Scene {
    static let start = Timestamp(milliseconds: 1_800_000_000_000)
    static let node = "local"

    var world = World(now: Scene.start)
    private var version: Int64 = 1

    /// A world in which the node answers and has nothing.
    init() { world.nodeViews[Self.node] = NodeView(report: report([])) }

    /// How far a revision has come.
    enum Progress {
        case new
        case built
        case ready
        case failed
    }

    // MARK: Objects

    /// Declares an app; `source` stands for its content.
    mutating func app(_ name: String, source: Int = 1, min: Int = 0, _ change: (inout App) -> Void = { _ in }) {
        var app =
            world.apps["default/\(name)"]?.object
            ?? App(metadata: Metadata(name: name, namespace: "default"), spec: AppSpec())
        app.metadata.uid = "uid-\(name)"
        app.metadata.generation += 1
        app.metadata.creationTimestamp = Self.start
        app.metadata.finalizers = [drainFinalizer]
        app.spec.source.path = "./\(name)"
        app.spec.source.digest = Self.digest(source)
        app.spec.scaling.min = min
        change(&app)
        world.apps.set(Stored(app, modRevision: next()))
    }

    /// A revision of a declared app, made from its settings with another source where `source` is given.
    mutating func revision(_ app: String, _ number: Int, _ progress: Progress, source: Int = 1) {
        // A world of this app alone, so that a thousand of them are made quickly.
        var alone = World(now: Self.start)
        if let stored = world.apps["default/\(app)"] { alone.apps.set(stored) }
        alone.allowlists = world.allowlists
        alone.secrets = world.secrets
        guard case .template(var template)? = alone.situations().first?.desired else { return }
        template.source = Self.digest(source)
        var spec = RevisionSpec()
        spec.app = app
        spec.template = template
        var metadata = Metadata(name: RevisionName(app: app, number: number).description, namespace: "default")
        metadata.uid = "uid-\(metadata.name)"
        metadata.generation = 1
        metadata.ownerReferences = [OwnerReference(kind: AppSpec.kind, name: app, uid: "uid-\(app)")]
        var revision = Revision(metadata: metadata, spec: spec)
        var conditions: [Condition] = []
        if progress == .built || progress == .ready {
            revision.status.bundle = Self.digest(1000 + source)
            revision.status.executable = "server"
            conditions.append(Condition("Built", .isTrue, "Built"))
        }
        if progress == .ready { conditions.append(Condition("Ready", .isTrue, "Listening")) }
        if progress == .failed {
            conditions = ["Built", "Ready"].map { Condition($0, .isFalse, "CommandFailed", "stage build: exit code 1") }
        }
        let none: [Condition] = []
        revision.status.conditions = none.setting(conditions, generation: 1, now: Self.start)
        world.revisions.set(Stored(revision, modRevision: next()))
    }

    mutating func split(
        _ name: String,
        of app: String,
        hosts: [String],
        _ backends: [SplitBackend],
        age: Int = 0,
        _ change: (inout TrafficSplitSpec) -> Void = { _ in }
    ) {
        var split = TrafficSplit(metadata: Metadata(name: name, namespace: "default"), spec: TrafficSplitSpec())
        split.metadata.generation = 1
        split.metadata.uid = "uid-\(name)"
        split.metadata.creationTimestamp = Self.start + .seconds(-age)
        split.spec.app = app
        split.spec.hosts = hosts
        split.spec.backends = backends
        change(&split.spec)
        world.splits.set(Stored(split, modRevision: next()))
    }

    mutating func serving(_ app: String, _ number: Int) {
        edit(app) { $0.status.servingRevision = RevisionName(app: app, number: number).description }
    }

    mutating func edit(_ name: String, _ change: (inout App) -> Void) {
        guard var stored = world.apps["default/\(name)"] else { return }
        change(&stored.object)
        stored.modRevision = next()
        world.apps.set(stored)
    }

    // MARK: The node

    /// Runners by revision name: so many that are ready.
    mutating func runners(_ ready: [(String, Int)]) {
        var runners: [RunnerReport] = []
        for (revision, count) in ready {
            for number in 0..<count {
                var runner = RunnerReport()
                runner.id = "\(revision)-\(number)"
                runner.revision = "default/\(revision)"
                runner.state = .ready
                runner.startedAt = Self.start
                runners.append(runner)
            }
        }
        var new = report(runners)
        new.assignment = world.nodeViews[Self.node]?.report?.assignment ?? 0
        world.nodeViews[Self.node]?.report = new
    }

    /// What the node says of denied syscalls.
    mutating func denied(_ revision: String, _ syscalls: [String]) {
        world.nodeViews[Self.node]?.report?.denied = [RevisionDenials("default/\(revision)", syscalls)]
    }

    mutating func silence() {
        world.nodeViews[Self.node]?.report = nil
        world.nodeViews[Self.node]?.isSilent = true
    }

    private func report(_ runners: [RunnerReport]) -> NodeReport {
        var report = NodeReport()
        report.node = Self.node
        report.instance = "first"
        report.runners = runners.sorted { $0.id < $1.id }
        report.edges = ["127.0.0.1:8080"]
        return report
    }

    // MARK: Going on

    var plan: Plan { MeridianPlanning.plan(world) }

    /// The steps in words, without writes of statuses and mirrors.
    var words: [String] {
        plan.steps.filter { if case .write = $0.step { false } else { true } }.map(\.step.words)
    }

    /// The assignment that is planned, or else the one that the node has.
    var assignment: NodeAssignment? {
        for case .assign(_, let assignment) in plan.steps.map(\.step) { return assignment }
        return world.nodeViews[Self.node]?.assigned
    }

    func route(_ host: String) -> [RouteBackend]? { assignment?.routes.hosts.first { $0.host == host }?.backends }

    /// Carries out plans until one has no steps; answers how many it took, nil where they did not end.
    @discardableResult
    mutating func settle() -> Int? {
        for turn in 0..<40 {
            let plan = plan
            if plan.steps.isEmpty { return turn }
            for step in plan.steps { carryOut(step.step) }
        }
        return nil
    }

    mutating func carryOut(_ step: Step) {
        switch step {
        case .createRevision(var revision, _, _):
            revision.metadata.uid = "uid-\(revision.metadata.name)"
            revision.metadata.generation = 1
            world.revisions.set(Stored(revision, modRevision: next()))
        case .build(let start):
            let bundle = BuiltBundle(bundle: Self.digest(1001), executable: "server")
            world.activities[start.revision] = .ended(.built(bundle))
        case .checkPort(let start):
            var report = PortCheckReport()
            report.passed = true
            report.listening = ["0.0.0.0:8080"]
            world.activities[start.revision] = .ended(.checked(report))
        case .write(let write): carryOut(write)
        case .cancelBuild(let key): world.activities[key] = nil
        case .delete(let fence), .finishDeletion(let fence): remove(fence.key)
        case .endRollback(let fence):
            edit(fence.key.name) { $0.metadata.annotations = [:] }
        case .assign(_, let assignment): take(assignment)
        case .record, .lookAtGit, .applyGit, .pruneGit: break
        }
    }

    private mutating func carryOut(_ write: ObjectWrite) {
        if let settled = write.settles { world.activities[settled] = nil }
        switch write.object {
        case let app as App: world.apps.set(Stored(app, modRevision: next()))
        case let revision as Revision: world.revisions.set(Stored(revision, modRevision: next()))
        case let split as TrafficSplit: world.splits.set(Stored(split, modRevision: next()))
        case let region as Region: world.regions.set(Stored(region, modRevision: next()))
        case let policy as EdgePolicy: world.policies.set(Stored(policy, modRevision: next()))
        case let node as Node: world.nodes.set(Stored(node, modRevision: next()))
        case let runner as Runner: world.runners.set(Stored(runner, modRevision: next()))
        default: break
        }
    }

    private mutating func remove(_ key: ObjectKey) {
        world.apps.remove(key.kind == AppSpec.kind ? key.path : "")
        world.revisions.remove(key.kind == RevisionSpec.kind ? key.path : "")
        world.runners.remove(key.kind == RunnerSpec.kind ? key.path : "")
    }

    /// The node takes an assignment and starts and stops runners at once.
    private mutating func take(_ assignment: NodeAssignment) {
        world.nodeViews[Self.node]?.assigned = assignment
        world.nodeViews[Self.node]?.assignedInstance = "first"
        world.nodeViews[Self.node]?.report?.assignment = assignment.number
        let running = world.nodeViews[Self.node]?.report?.runners ?? []
        runners(
            assignment.revisions.map { revision in
                let count = running.count { $0.revision == revision.key }
                return (String(revision.key.dropFirst("default/".count)), max(count, revision.runnersMin))
            }
        )
    }

    private mutating func next() -> Int64 {
        version += 1
        return version
    }

    static func digest(_ number: Int) -> Digest {
        let digits = String(number)
        return Digest(hex: String(repeating: "0", count: 64 - digits.utf8.count) + digits) ?? .zero
    }
}
