// SupplyTransition: what can happen to a node's runners, and what is to be done about it.
package import MeridianModel
package import MeridianPorts

/// Something that happened.
package enum SupplyEvent: Sendable {
    /// What the control plane wants. Where it is not complete, revisions that are missing stay as they are.
    case assigned([RevisionOrder], isComplete: Bool)
    /// A request found no runner, or none with room.
    case demanded(revision: String)
    /// Time passed.
    case ticked
    /// A runner's process exists; it is not ready yet.
    case spawned(RunnerHandle)
    /// A runner accepts requests.
    case becameReady(id: String)
    /// A runner could not be started, or was not ready in time.
    case startFailed(id: String, message: String)
    /// Every edge loop has the set of runners that was published last for the revision.
    case published(revision: String)
    /// A runner ended by itself.
    case exited(RunnerExit)
    /// A runner that was to be stopped is gone.
    case stopped(id: String)
    /// Every runner has to go; nothing is started any more.
    case shutDown
}

/// Something to do; what comes of it arrives as an event.
package enum SupplyAction: Sendable, Equatable {
    /// Start a runner: `spawned` then `becameReady`, or `startFailed`.
    case start(RunnerOrder, why: String)
    /// Tell the edge the complete set of a revision's runners: `published`. `resumed` are those that were paused before.
    case publish(revision: String, runners: [RunnerHandle], resumed: Set<String>, concurrencyMax: Int)
    /// Stop an idle runner's processes where they are; nothing follows.
    case pause(RunnerHandle, why: String)
    /// Let a paused runner go on; nothing follows.
    case resume(RunnerHandle, why: String)
    /// Answer the revision's waiting requests with 503 and these words.
    case fail(revision: String, message: String)
    /// Stop a runner that has no request any more, or whose time is over: `stopped`.
    case stop(RunnerHandle, grace: Duration, why: String)
    /// Keep this many empty sandboxes of each shape for the starts to come; nothing follows.
    case keepReady([SandboxShape: Int])
}

extension SupplyAction {
    var isPause: Bool { if case .pause = self { true } else { false } }
}

/// A revision as its node has to keep it.
package struct RevisionOrder: Sendable, Equatable {
    package let assignment: RevisionAssignment
    /// The longest that a request to it may take, by the routes that lead to it.
    package let requestTimeoutMax: Duration

    package init(_ assignment: RevisionAssignment, requestTimeoutMax: Duration) {
        self.assignment = assignment
        self.requestTimeoutMax = requestTimeoutMax
    }
}

/// A runner to be started.
package struct RunnerOrder: Sendable, Equatable {
    package let id: String
    /// `namespace/name` of the revision.
    package let revision: String
    package let template: RunnerTemplate
    package let restartNumber: Int
}
