// CarryOver: what a node keeps of its last assignment, because what asks for it cannot be read or made any more.
import MeridianModel

/// The last assignment that a node took, for what must not be lost although it cannot be decided anew.
struct PreviousAssignment {
    private let assigned: NodeAssignment
    private let templates: [String: RunnerTemplate]

    init(_ assigned: NodeAssignment?) {
        self.assigned = assigned ?? NodeAssignment()
        templates = Dictionary(
            self.assigned.revisions.map { ($0.key, $0.template) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The template that a revision was last started with, for one whose Secret was deleted while it serves; nil where
    /// the Secret no longer opens, or the key is that of another bundle.
    func template(of revision: Revision, in world: World) -> RunnerTemplate? {
        guard let template = templates[revision.key.path], template.bundle == revision.status.bundle,
            template.sealed.values.allSatisfy({ !world.unopenable.contains($0.text) })
        else { return nil }
        return template
    }

    /// Adds the routes and revisions of apps and splits that this version cannot read, and sorts.
    ///
    /// `served`: the apps (`namespace/name`) that are decided anew.
    func carryOver(into assignment: inout NodeAssignment, served: Set<String>, in world: World) {
        let obscured = Set(world.obscuredApps.map(\.path))
        let splits = Set(world.unreadable.filter { $0.kind == TrafficSplitSpec.kind }.map(\.namespace))
        if !obscured.isEmpty || !splits.isEmpty {
            assignment.revisions += assigned.revisions.filter { obscured.contains($0.app) }
            let hosts = Set(assignment.routes.hosts.map(\.host))
            let keys = Set(assignment.revisions.map(\.key))
            let kept = assigned.routes.hosts.filter { route in
                let isKept =
                    obscured.contains(route.app)
                    || (splits.contains(namespace(of: route.app)) && served.contains(route.app))
                return isKept && !hosts.contains(route.host)
                    && route.allBackends.compactMap(\.revision).allSatisfy(keys.contains)
            }
            assignment.routes.hosts += kept.map { $0.keeping(keys) }
            assignment.routes.hosts.sort { $0.host < $1.host }
            let bare = Set(assignment.routes.hosts.map(\.host)).subtracting(assignment.certificates.flatMap(\.hosts))
            assignment.certificates += assigned.certificates.filter { !bare.isDisjoint(with: $0.hosts) }
        }
        carryOverPolicies(into: &assignment, in: world)
        assignment.revisions.sort { $0.key < $1.key }
    }

    /// A policy that this version cannot read goes on to protect its hosts, but for those that another one has now.
    private func carryOverPolicies(into assignment: inout NodeAssignment, in world: World) {
        let obscured = Set(world.unreadable.filter { $0.kind == EdgePolicySpec.kind }.map(\.name))
        guard !obscured.isEmpty else { return }
        let taken = Set(assignment.routes.policies.flatMap(\.rules.hosts))
        let hasStanding = assignment.routes.policies.contains { $0.rules.hosts.isEmpty }
        for var policy in assigned.routes.policies where obscured.contains(policy.name) {
            let isStanding = policy.rules.hosts.isEmpty
            policy.rules.hosts.removeAll(where: taken.contains)
            guard isStanding ? !hasStanding : !policy.rules.hosts.isEmpty else { continue }
            assignment.routes.policies.append(policy)
        }
        assignment.routes.policies.sort { $0.name < $1.name }
    }

    private func namespace(of path: String) -> String { String(path.prefix { $0 != "/" }) }
}
