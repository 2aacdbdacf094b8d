// Planner: the one decision function: from a world to the steps that move it one safe move further.
import MeridianModel

/// The steps that move `world` one safe move towards the desired state.
///
/// Pure, total and deterministic. A converged world gives no steps. Each question is answered in a file of its own
/// under `Questions/`; what one answer needs of another is passed, so the order below is the order of thought.
package func plan(_ world: World) -> Plan {
    let situations = world.situations()
    let rollouts = situations.map { rollout(of: $0, in: world) }
    let routes = routing(situations, in: world)
    let routed = RoutedHosts(world)
    var plan = Plan()
    plan.append(gitSync(in: world))
    plan.append(gitSources(of: world.apps, in: world))
    for situation in situations { plan.append(builds(for: situation, in: world)) }
    for (situation, rollout) in zip(situations, rollouts) {
        plan.append(appStatus(of: situation, rollout: rollout, routed: routed, in: world))
    }
    plan.append(splitStatuses(routes, in: world))
    plan.append(policyStatuses(routes, in: world))
    plan.append(mirrors(of: world))
    plan.append(assignments(situations, rollouts, routes, in: world))
    plan.append(cleanup(situations, routes, in: world))
    for key in world.obscuredApps.sorted() {
        plan.wait(key, "is left as it is: it or a revision of it cannot be read by this version of Meridian")
    }
    return withoutHeldBack(plan, in: world)
}

/// The plan without the steps for objects that cannot be read, or that are left alone after a failure; when to look
/// again is kept.
private func withoutHeldBack(_ plan: Plan, in world: World) -> Plan {
    var result = plan
    result.steps = []
    var told: Set<ObjectKey> = []
    for step in plan.steps where !world.unreadable.contains(step.subject) {
        guard let until = world.heldBack[step.subject], until > world.now else {
            result.steps.append(step)
            continue
        }
        if told.insert(step.subject).inserted {
            result.wait(step.subject, "held back after a failed step until \(until)", until: until)
        }
    }
    return result
}
