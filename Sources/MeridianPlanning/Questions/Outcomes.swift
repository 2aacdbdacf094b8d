// Outcomes: what the end of a build or port check means for a revision.
import MeridianModel

/// The write that takes an ended activity into the revision's status.
func settled(_ stored: Stored<Revision>, _ result: ActivityResult, now: Timestamp) -> Plan {
    let revision = stored.object
    var status = revision.status
    var updates: [Condition] = []
    status.retryAt = nil
    switch result {
    case .built(let built):
        status.bundle = built.bundle
        status.executable = built.executable
        status.arguments = built.arguments
        status.preset = built.preset
        status.cached = built.cached
        status.stages = built.stages
        status.attempts = 0
        updates = [Condition("Built", .isTrue, built.cached ? "FoundInCache" : "Built", "bundle \(built.bundle.short)")]
    case .buildFailed(let failure) where failure.isTransient:
        status = retried(status, now: now)
        updates = [Condition("Built", .unknown, failure.reason, failure.message)]
    case .buildFailed(let failure):
        updates = [
            Condition("Built", .isFalse, failure.reason, failure.message),
            Condition("Ready", .isFalse, failure.reason, failure.message),
        ]
    case .checked(let report) where report.passed:
        // Taking the same result in twice must not show it twice.
        status.stages.removeAll { $0.name == "portCheck" }
        status.stages.append(StageDuration(name: "portCheck", duration: report.elapsed))
        status.attempts = 0
        let denied =
            report.deniedSyscalls.isEmpty
            ? "" : "; denied syscalls: \(report.deniedSyscalls.joined(separator: ", "))"
        updates = [
            Condition("Ready", .isTrue, "Listening", "listens on \(report.listening.joined(separator: ", "))\(denied)")
        ]
    case .checked(let report):
        let output = report.output.isEmpty ? "" : "\nlast output:\n" + report.output.joined(separator: "\n")
        updates = [Condition("Ready", .isFalse, report.reason, report.message + output)]
    case .checkUnavailable(let message):
        status = retried(status, now: now)
        updates = [Condition("Ready", .unknown, "CheckUnavailable", message)]
    }
    status.conditions = status.conditions.setting(updates, generation: revision.metadata.generation, now: now)
    var denied: [EventDraft] = []
    if case .checked(let report) = result {
        denied = noteDenied(report.deniedSyscalls, of: revision, in: &status, now: now)
    }
    let events = updates.map {
        EventDraft(
            revision.key,
            uid: revision.metadata.uid,
            $0.status == .isTrue ? .normal : .warning,
            $0.reason,
            $0.message
        )
    }
    return statusWrite(
        of: stored,
        status,
        events: Array(Set(events).sorted { $0.reason < $1.reason }) + denied,
        settles: revision.key,
        because: updates.map { "\($0.type)=\($0.status.rawValue) (\($0.reason))" }.joined(separator: ", ")
    )
}

/// One more failed attempt, and when the next may begin.
private func retried(_ status: RevisionStatus, now: Timestamp) -> RevisionStatus {
    var status = status
    status.attempts += 1
    status.retryAt = now + retryDelay(afterFailures: status.attempts)
    return status
}

/// The wait before another attempt: 1 s, doubled with each failure in a row, at most 5 minutes.
package func retryDelay(afterFailures failures: Int) -> Duration {
    // Five minutes: long enough to cost nothing, short enough that a person who mended the cause need not act.
    let secondsMax = 300
    return .seconds(min(secondsMax, 1 << min(max(0, failures - 1), 9)))
}

/// The write of an object with a new status; no step where the status is as it was and nothing is settled.
func statusWrite<Spec: ResourceSpec, Status: Shaped>(
    of stored: Stored<Resource<Spec, Status>>,
    _ status: Status,
    events: [EventDraft] = [],
    settles: ObjectKey? = nil,
    because why: String
) -> Plan {
    var plan = Plan()
    guard status != stored.object.status || settles != nil else { return plan }
    var object = stored.object
    object.status = status
    let write = ObjectWrite(object, replaces: stored.modRevision, events: events, settles: settles)
    plan.add(.write(write), for: object.key, because: why)
    return plan
}

/// The event that a condition of an object is worth: one where its status or its reason is another than before.
func news<Spec: ResourceSpec, Status: Shaped>(
    _ condition: Condition,
    before conditions: [Condition],
    of object: Resource<Spec, Status>
) -> [EventDraft] {
    let before = conditions.condition(condition.type)
    guard (before?.status, before?.reason) != (condition.status, condition.reason) else { return [] }
    let type: EventType = condition.status == .isTrue ? .normal : .warning
    return [EventDraft(object.key, uid: object.metadata.uid, type, condition.reason, condition.message)]
}
