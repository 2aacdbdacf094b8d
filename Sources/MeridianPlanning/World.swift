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
    package var secrets: ObjectTable<Secret> = ObjectTable()
    package var nodes: ObjectTable<Node> = ObjectTable()
    package var runners: ObjectTable<Runner> = ObjectTable()
    /// Stored objects that this version cannot read; nothing that depends on them is removed.
    package var unreadable: Set<ObjectKey> = []
    /// Every node that is known, by name.
    package var nodeViews: [String: NodeView] = [:]
    /// Builds and port checks under way or finished, by revision.
    package var activities: [ObjectKey: Activity] = [:]
    /// Objects whose last step failed, and until when they are left alone.
    package var heldBack: [ObjectKey: Timestamp] = [:]

    package init(now: Timestamp) { self.now = now }
}

/// What is known of one node beside the store.
package struct NodeView: Sendable {
    /// What the node said last; nil while it does not answer.
    package var report: NodeReport?
    /// The last assignment that the node acknowledged to this control plane; nil: none yet.
    package var assigned: NodeAssignment?

    package init(report: NodeReport? = nil, assigned: NodeAssignment? = nil) {
        self.report = report
        self.assigned = assigned
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
        bundle: Digest, executable: String, arguments: [String] = [], preset: BuildPreset? = nil, cached: Bool = false,
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
