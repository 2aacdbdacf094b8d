// SplitStatuses: whether each split is routed as declared.
import MeridianModel

/// The writes of splits' statuses where they changed.
package func splitStatuses(_ routes: Routing, in world: World) -> Plan {
    var plan = Plan()
    let obscured = world.obscuredApps
    for stored in world.splits {
        let split = stored.object
        let app = ObjectKey(kind: AppSpec.kind, namespace: split.metadata.namespace, name: split.spec.app)
        guard !obscured.contains(app), let outcome = routes.splits[split.key.path] else { continue }
        var status = split.status
        status.observedGeneration = split.metadata.generation
        status.hosts = outcome.hosts
        let condition =
            outcome.faults.first.map { first in
                Condition("Ready", .isFalse, first.reason, outcome.faults.map(\.message).joined(separator: "; "))
            } ?? Condition("Ready", .isTrue, "Routed", "every host and backend is routed")
        status.conditions = status.conditions.setting(
            [condition],
            generation: split.metadata.generation,
            now: world.now
        )
        let events = news(condition, before: split.status.conditions, of: split)
        plan.append(statusWrite(of: stored, status, events: events, because: condition.message))
    }
    return plan
}
