// World: everything that a decision may depend on.
package import MeridianModel

/// Desired and observed state and the time, taken together at one moment.
///
/// The objects come from one transactionally consistent read of the store. What could not be read is said
/// (`unreadable`, a node without a report) and is never taken for absent.
package struct World: Sendable {
    package var now: Timestamp
    package var apps: ObjectTable<App> = ObjectTable()
    package var revisions: ObjectTable<Revision> = ObjectTable()
    package var splits: ObjectTable<TrafficSplit> = ObjectTable()
    package var regions: ObjectTable<Region> = ObjectTable()
    package var allowlists: ObjectTable<SyscallAllowlist> = ObjectTable()
    package var policies: ObjectTable<EdgePolicy> = ObjectTable()
    package var secrets: ObjectTable<Secret> = ObjectTable()
    package var nodes: ObjectTable<Node> = ObjectTable()
    package var runners: ObjectTable<Runner> = ObjectTable()
    package var gitSources: ObjectTable<GitSource> = ObjectTable()
    /// Objects of all other kinds, which no question but that of what is declared asks for.
    package var others: [ObjectKey: any APIObject] = [:]
    /// What is known of the repositories of GitSources and of Apps that name one.
    package var gitViews: [ObjectKey: GitView] = [:]
    /// Stored objects that this version cannot read; nothing that depends on them is removed.
    package var unreadable: Set<ObjectKey> = []
    /// Every node that is known, by name.
    package var nodeViews: [String: NodeView] = [:] { didSet { census = RunnerCensus(nodeViews) } }
    /// The runners that the nodes report, counted.
    package private(set) var census = RunnerCensus([:])
    /// Builds and port checks under way or finished, by revision.
    package var activities: [ObjectKey: Activity] = [:]
    /// Objects whose last step failed, and until when they are left alone.
    package var heldBack: [ObjectKey: Timestamp] = [:]
    /// Sealed texts of Secrets that do not open: what needs them is as if they were missing, and harms nothing else.
    package var unopenable: Set<String> = []

    package init(now: Timestamp) { self.now = now }
}

/// What is known of one node beside the store.
package struct NodeView: Sendable {
    /// What the node said last; nil while it does not answer.
    package var report: NodeReport?
    /// Whether it was found not to answer; false at first, while it has not been heard yet.
    package var isSilent = false
    /// The last assignment that the node acknowledged to this control plane; nil: none yet.
    package var assigned: NodeAssignment?
    /// The instance of the node that acknowledged it: it keeps it, whatever an older report says.
    package var assignedInstance: String?
    /// The highest number that was handed to the node: what became of it is unknown where the answer was lost, so that
    /// the number is never used again.
    package var numberTried = 0

    package init(report: NodeReport? = nil, assigned: NodeAssignment? = nil) {
        self.report = report
        self.assigned = assigned
    }
}

/// How many runners each revision has, over all nodes that answer.
package struct RunnerCensus: Sendable {
    /// Runners that accept requests, by revision (`namespace/name`).
    package private(set) var ready: [String: Int] = [:]
    /// Runners in any state, by revision (`namespace/name`).
    package private(set) var all: [String: Int] = [:]

    /// Counts what the nodes report.
    package init(_ views: [String: NodeView]) {
        for runner in views.values.lazy.compactMap(\.report).flatMap(\.runners) {
            all[runner.revision, default: 0] += 1
            if runner.state == .ready { ready[runner.revision, default: 0] += 1 }
        }
    }
}

extension World {
    /// The names of the nodes that do not answer or have not been heard yet, sorted: their runners are not known.
    package var nodesUnheard: [String] { nodeViews.filter { $0.value.report == nil }.keys.sorted() }

    /// Runners of a revision (`namespace/name`) that accept requests, over all nodes that answer.
    package func readyRunners(of revision: String) -> Int { census.ready[revision, default: 0] }

    /// Runners of a revision in any state, over all nodes that answer.
    package func runners(of revision: String) -> Int { census.all[revision, default: 0] }

    /// Whether a revision may have runners: some are reported, or some node cannot tell.
    func mayHaveRunners(_ revision: String) -> Bool {
        runners(of: revision) > 0 || nodeViews.values.contains { $0.report == nil }
    }
}

/// Work on a revision that takes longer than a step.
package enum Activity: Sendable, Equatable {
    case building
    case checking
    /// Ended; the plan turns it into status, after which it is forgotten.
    case ended(ActivityResult)
}

/// How an activity ended.
package enum ActivityResult: Sendable, Equatable {
    case built(BuiltBundle)
    case buildFailed(BuildFailure)
    case checked(PortCheckReport)
    /// The check could not be made (the node did not answer): nothing is known of the program.
    case checkUnavailable(String)
}

/// What a build made.
package struct BuiltBundle: Sendable, Equatable {
    package var bundle: Digest
    package var executable: String
    package var arguments: [String]
    package var preset: BuildPreset?
    package var cached: Bool
    package var stages: [StageDuration]

    package init(
        bundle: Digest,
        executable: String,
        arguments: [String] = [],
        preset: BuildPreset? = nil,
        cached: Bool = false,
        stages: [StageDuration] = []
    ) {
        self.bundle = bundle
        self.executable = executable
        self.arguments = arguments
        self.preset = preset
        self.cached = cached
        self.stages = stages
    }
}

/// Why a build failed.
package struct BuildFailure: Sendable, Equatable {
    package var reason: String
    package var message: String
    /// Whether trying again unchanged may succeed.
    package var isTransient: Bool

    package init(reason: String, message: String, isTransient: Bool) {
        self.reason = reason
        self.message = message
        self.isTransient = isTransient
    }
}
