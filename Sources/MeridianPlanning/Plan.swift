// Plan: the steps that move the world one safe move towards the desired state, and why.
package import MeridianModel

/// What to do now, what is waited for, and when to look again although nothing happened.
package struct Plan: Sendable, Equatable {
    /// In the order in which they are to be executed; empty in a converged world.
    package var steps: [PlannedStep] = []
    /// What is not done yet, and for what it waits.
    package var waiting: [Waiting] = []
    /// The earliest time at which the passing of time alone changes the plan.
    package var wakeAt: Timestamp?

    package init() {}

    /// Adds a step.
    package mutating func add(_ step: Step, for subject: ObjectKey, because why: String) {
        steps.append(PlannedStep(step: step, subject: subject, why: why))
    }

    /// Adds something that is waited for, until a time where time alone ends the wait.
    package mutating func wait(_ subject: ObjectKey, _ text: String, until: Timestamp? = nil) {
        waiting.append(Waiting(subject: subject, text: text))
        if let until { wakeAt = min(wakeAt ?? until, until) }
    }

    /// Adds the steps and waits of another plan.
    package mutating func append(_ other: Plan) {
        steps += other.steps
        waiting += other.waiting
        if let until = other.wakeAt { wakeAt = min(wakeAt ?? until, until) }
    }
}

/// A step, the object that it is for, and why.
package struct PlannedStep: Sendable, Equatable {
    package let step: Step
    package let subject: ObjectKey
    package let why: String
}

/// Something that is not done yet.
package struct Waiting: Sendable, Equatable {
    package let subject: ObjectKey
    package let text: String
}

/// One effect on the store, on a node, or on the work under way.
///
/// Every step is idempotent, and a write names the store revision it was planned from, so that a step which is
/// late or repeated does nothing.
package enum Step: Sendable, Equatable {
    /// Creates a revision, unless its app has changed since.
    case createRevision(Revision, app: Fence, event: EventDraft)
    /// Starts the build of a revision.
    case build(BuildStart)
    /// Ends a build or port check that nobody waits for any more.
    case cancelBuild(ObjectKey)
    /// Starts the port check of a built revision on a node.
    case checkPort(PortCheckStart)
    /// Writes what was observed: a whole object whose status (or, for mirrors, whose everything) is Meridian's.
    case write(ObjectWrite)
    /// Removes an object that Meridian itself wrote.
    case delete(Fence)
    /// Removes the finalizer of an object that is being deleted, and so the object.
    case finishDeletion(Fence)
    /// Removes the annotations of a rollback that a newer revision ended.
    case endRollback(Fence)
    /// Hands a node what it serves.
    case assign(node: String, NodeAssignment)
    /// Says that something happened.
    case record(EventDraft)
    /// Starts a look at a repository.
    case lookAtGit(GitLook)
    /// Applies objects of a commit.
    case applyGit(GitApply)
    /// Deletes objects that left a repository.
    case pruneGit(GitPrune)
}

/// The object and the state of it that a step was planned from.
package struct Fence: Sendable, Hashable {
    package let key: ObjectKey
    package let uid: String
    package let modRevision: Int64

    package init(key: ObjectKey, uid: String, modRevision: Int64) {
        self.key = key
        self.uid = uid
        self.modRevision = modRevision
    }

    /// The fence of an object as the world has it.
    package init<Object: APIObject>(_ stored: Stored<Object>) {
        self.init(key: stored.object.key, uid: stored.object.metadata.uid, modRevision: stored.modRevision)
    }
}

/// A build to start.
package struct BuildStart: Sendable, Equatable {
    package let revision: ObjectKey
    package let uid: String
    package let template: RevisionTemplate
}

/// A port check to start.
package struct PortCheckStart: Sendable, Equatable {
    package let revision: ObjectKey
    package let uid: String
    package let node: String
    /// Values of Secrets are still sealed in its environment.
    package let template: RunnerTemplate
    package let timeout: Duration
}

/// An object to be written.
package struct ObjectWrite: Sendable {
    /// What to store; it becomes a document only when it is written, since most plans are only looked at.
    package let object: any APIObject
    package let key: ObjectKey
    /// The revision that it replaces; nil: it must not exist.
    package let replaces: Int64?
    /// What the write tells, recorded with it.
    package let events: [EventDraft]
    /// An activity whose result the write takes in.
    package let settles: ObjectKey?

    package init(_ object: any APIObject, replaces: Int64?, events: [EventDraft] = [], settles: ObjectKey? = nil) {
        self.object = object
        key = object.key
        self.replaces = replaces
        self.events = events
        self.settles = settles
    }

    /// The document to store.
    package var value: JSONValue { object.encoded() }
}

extension ObjectWrite: Equatable {
    package static func == (left: ObjectWrite, right: ObjectWrite) -> Bool {
        (left.key, left.replaces, left.settles) == (right.key, right.replaces, right.settles)
            && left.events == right.events && left.value == right.value
    }
}

/// Something that happened, to be recorded as an Event.
package struct EventDraft: Sendable, Hashable {
    package let object: ObjectKey
    package let uid: String
    package let type: EventType
    package let reason: String
    package let message: String

    package init(_ object: ObjectKey, uid: String, _ type: EventType, _ reason: String, _ message: String) {
        self.object = object
        self.uid = uid
        self.type = type
        self.reason = reason
        self.message = message
    }
}
