// NodeReport: what a node says of itself: which assignment it serves, its runners, what it could not do.

/// The state of one node at one moment.
package struct NodeReport: Shaped {
    /// The node's name.
    package var node: String = ""
    /// Drawn anew at each start of the node process, so that a restart shows.
    package var instance: String = ""
    /// The number of the assignment that is in force; 0 before the first.
    package var assignment: Int = 0
    /// The number of the route table that every edge loop has taken; 0 before the first.
    package var routes: Int = 0
    /// Every runner, sorted by id.
    package var runners: [RunnerReport] = []
    /// Revisions whose runners fail to start or crash, sorted by key.
    package var troubles: [RevisionTrouble] = []
    /// Revisions whose runners made denied syscalls, sorted by key.
    package var denied: [RevisionDenials] = []
    /// Which protections are in force: `cgroup: v1`, `seccomp: filter`, `user: root` and so on.
    package var protections: [String: String] = [:]
    /// The addresses that the edge accepts requests on, `IP:PORT`.
    package var edges: [String] = []

    package init() {}

    package static let shape: Shape<NodeReport> = Shape(
        "NodeReport",
        "The state of one node at one moment.",
        fields: [
            .init(required: "node", \.node, "The node's name."),
            .init(required: "instance", \.instance, "Drawn anew at each start of the node process."),
            .init("assignment", \.assignment, default: 0, "The assignment in force."),
            .init("routes", \.routes, default: 0, "The route table in force."),
            .init("runners", \.runners, default: [], "Every runner, sorted by id."),
            .init("troubles", \.troubles, default: [], "Revisions whose runners fail."),
            .init("denied", \.denied, default: [], "Revisions whose runners made denied syscalls."),
            .init("protections", \.protections, default: [:], "Which protections are in force."),
            .init("edges", \.edges, default: [], "The addresses that the edge accepts requests on."),
        ]
    )
}

/// One runner as its node sees it.
package struct RunnerReport: Shaped {
    /// Unique on the node and across its restarts, a DNS label: `hello-00003-7k2q9`.
    package var id: String = ""
    /// `namespace/name` of the revision.
    package var revision: String = ""
    package var state: RunnerState = .starting
    /// The process id on the host; 0 before there is one.
    package var pid: Int = 0
    package var startedAt: Timestamp = Timestamp(milliseconds: 0)
    /// The `restartNumber` of its assignment when it was started.
    package var restartNumber: Int = 0

    package init() {}

    package static let shape: Shape<RunnerReport> = Shape(
        "RunnerReport",
        "One runner as its node sees it.",
        fields: [
            .init(required: "id", \.id, "Unique on the node."),
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init(required: "state", \.state, "Where in its life the runner is."),
            .init("pid", \.pid, default: 0, "The process id on the host."),
            .init(required: "startedAt", \.startedAt, "When it was started."),
            .init("restartNumber", \.restartNumber, default: 0, "The restart it belongs to."),
        ]
    )
}

/// Where in its life a runner is.
package enum RunnerState: String, WordShapeValue {
    /// Spawned, not ready yet.
    case starting = "Starting"
    /// Accepts requests.
    case ready = "Ready"
    /// Idle, and stopped until the next request.
    case paused = "Paused"
    /// Finishes what it has and gets no new request.
    case draining = "Draining"
}

/// Why a revision's runners do not stay up.
package struct RevisionTrouble: Shaped {
    /// `namespace/name` of the revision.
    package var revision: String = ""
    /// Failed starts and crashes since the last runner that lived for a minute.
    package var failures: Int = 0
    /// What happened last, as in `exited with code 3` or `killed by signal 9 (out of memory: limit 256Mi)`.
    package var message: String = ""
    /// When the next start may be tried.
    package var retryAt: Timestamp = Timestamp(milliseconds: 0)

    package init() {}

    package static let shape: Shape<RevisionTrouble> = Shape(
        "RevisionTrouble",
        "Why a revision's runners do not stay up.",
        fields: [
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init("failures", \.failures, default: 0, "Failures in a row."),
            .init("message", \.message, default: "", "What happened last."),
            .init(required: "retryAt", \.retryAt, "When the next start may be tried."),
        ]
    )
}

/// The denied syscalls that a revision's runners made.
package struct RevisionDenials: Shaped {
    /// `namespace/name` of the revision.
    package var revision: String = ""
    /// By name, sorted.
    package var syscalls: [String] = []

    package init() {}

    package init(_ revision: String, _ syscalls: [String]) {
        self.revision = revision
        self.syscalls = syscalls
    }

    package static let shape: Shape<RevisionDenials> = Shape(
        "RevisionDenials",
        "The denied syscalls that a revision's runners made.",
        fields: [
            .init(required: "revision", \.revision, "namespace/name of the revision."),
            .init("syscalls", \.syscalls, default: [], "Syscalls by name, sorted."),
        ]
    )
}

/// The outcome of a port check.
package struct PortCheckReport: Shaped {
    package var passed: Bool = false
    /// Where the program listens, as in `0.0.0.0:42117`; empty where nowhere.
    package var listening: [String] = []
    /// Why it did not pass, with the next step; empty where it passed.
    package var message: String = ""
    /// A short CamelCase word for conditions: `Listening`, `ExitedEarly`, `KilledBySignal`, `ListensNowhere`,
    /// `ListensElsewhere`, `ListensOnLocalhostOnly`, `SyscallDenied`, `HealthPathFailed`, `CannotExecute`.
    package var reason: String = ""
    /// The last lines of the program's output, oldest first.
    package var output: [String] = []
    /// Denied syscalls that the program made, by name, sorted.
    package var deniedSyscalls: [String] = []
    /// From spawn to the passed check.
    package var elapsed: Duration = .zero

    package init() {}

    package static let shape: Shape<PortCheckReport> = Shape(
        "PortCheckReport",
        "The outcome of a port check.",
        fields: [
            .init(required: "passed", \.passed, "Whether the program listens as it must."),
            .init("listening", \.listening, default: [], "Where the program listens."),
            .init("message", \.message, default: "", "Why it did not pass, with the next step."),
            .init("reason", \.reason, default: "", "A short word for conditions."),
            .init("output", \.output, default: [], "The last lines of output."),
            .init("deniedSyscalls", \.deniedSyscalls, default: [], "Denied syscalls by name."),
            .init("elapsed", \.elapsed, default: .zero, "From spawn to the passed check."),
        ]
    )
}
