// RoutingOracle: what must hold of every assignment at the moment when a node takes it.
import MeridianModel
import MeridianPorts

/// Judges assignments by the truth in the store.
struct RoutingOracle: Sendable {
    let store: any StorePort
    let findings: Findings

    /// Requests never go to a revision that has not passed its check or that the node may not start; a host of a living
    /// app does not go; and whoever takes over has as many ready runners as the one before.
    ///
    /// - Parameters:
    ///   - assignment: what the node is about to take.
    ///   - before: what it has.
    ///   - runners: what the node has.
    ///   - heard: what the control plane heard of the node last: it cannot know better. A move is decided in one turn
    ///     and done in the next, so that the report before the last counts too.
    func judge(
        _ assignment: NodeAssignment,
        replacing before: NodeAssignment,
        runners: NodeReport,
        heard: [NodeReport]
    ) async {
        do throws(StoreError) {
            try await judgeBackends(of: assignment)
            try await judgeLosses(in: assignment, before)
        } catch {
            findings.add("assignment \(assignment.number) could not be judged: \(error)")
        }
        if heard.allSatisfy({ $0.instance == runners.instance }) {
            judgeCapacity(assignment, before, runners, heard)
        }
    }

    private func judgeBackends(of assignment: NodeAssignment) async throws(StoreError) {
        let startable = Dictionary(
            assignment.revisions.map { ($0.key, $0.template) },
            uniquingKeysWith: { first, _ in first }
        )
        for host in assignment.routes.hosts {
            for key in host.allBackends.compactMap(\.revision) + host.kept {
                guard let template = startable[key] else {
                    findings.add("\(host.host) leads to \(key), which the node may not start")
                    continue
                }
                let parts = key.split(separator: "/").map(String.init)
                let record = try await store.get(
                    ObjectKey(kind: RevisionSpec.kind, namespace: parts.first ?? "", name: parts.last ?? "")
                )
                var context = DecodingContext()
                guard let revision = record.flatMap({ Revision.decode($0.value, at: FieldPath(), &context) }) else {
                    continue
                }
                let source = revision.spec.template.source
                if source.map({ SimulatedSource.bundle(of: $0) }) != template.bundle {
                    findings.add(
                        "\(key) is run from bundle \(template.bundle.short), which is not built from its source"
                    )
                }
                if !revision.status.conditions.holds("Ready") {
                    findings.add("\(host.host) leads to \(key), which is not ready")
                }
            }
        }
    }

    /// A host goes only with its app.
    private func judgeLosses(in assignment: NodeAssignment, _ before: NodeAssignment) async throws(StoreError) {
        let hosts = Set(assignment.routes.hosts.map(\.host))
        for route in before.routes.hosts where !hosts.contains(route.host) && isDefault(route) {
            let parts = route.app.split(separator: "/").map(String.init)
            let record = try await store.get(
                ObjectKey(kind: AppSpec.kind, namespace: parts.first ?? "", name: parts.last ?? "")
            )
            guard let record, record.value["metadata"]?["deletionTimestamp"] == nil,
                record.value["status"]?["servingRevision"] != nil
            else { continue }
            findings.add("\(route.host) was taken away although its app is there")
        }
    }

    private func isDefault(_ route: HostRoute) -> Bool {
        let parts = route.app.split(separator: "/")
        return parts.count == 2 && route.host == "\(parts[1]).\(parts[0]).localhost"
    }

    private func judgeCapacity(
        _ assignment: NodeAssignment,
        _ before: NodeAssignment,
        _ runners: NodeReport,
        _ heard: [NodeReport]
    ) {
        let old = Dictionary(
            before.routes.hosts.filter(isDefault).map { ($0.host, $0.backends.first?.revision) },
            uniquingKeysWith: { first, _ in first }
        )
        let limits = Dictionary(
            assignment.revisions.map { ($0.key, $0.runnersMax) },
            uniquingKeysWith: { first, _ in first }
        )
        for route in assignment.routes.hosts where isDefault(route) {
            guard let from = old[route.host] ?? nil, let to = route.backends.first?.revision, from != to else {
                continue
            }
            let known = heard.map { $0.ready(from) }.min() ?? 0
            let needed = min(known, limits[to, default: 0], runners.ready(from))
            let ready = runners.ready(to)
            if ready < needed {
                findings.add("\(route.host) went from \(from) with \(needed) ready runners to \(to) with \(ready)")
            }
        }
    }
}

extension NodeReport {
    fileprivate func ready(_ revision: String) -> Int {
        runners.count { $0.revision == revision && $0.state == .ready }
    }
}
