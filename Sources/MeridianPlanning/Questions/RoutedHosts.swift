// RoutedHosts: where the nodes' edges lead requests now, by what they have acknowledged.
import MeridianModel

/// The revisions behind the hosts of every node that answers.
struct RoutedHosts {
    /// By node; nil where it is not known what the node has (this control plane has not assigned anything yet).
    private var revisions: [String: [String: String]?] = [:]

    init(_ world: World) {
        for (name, view) in world.nodeViews {
            guard let report = view.report, let assigned = view.assigned, report.assignment >= assigned.number else {
                revisions[name] = .some(nil)
                continue
            }
            let pairs = assigned.routes.hosts.compactMap { route in
                route.backends.first?.revision.map { (route.host, $0) }
            }
            revisions[name] = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }
    }

    /// Whether a host leads to a revision on all of `nodes`; nil where that is not known.
    func leads(_ host: String, to revision: String, on nodes: [String]) -> Bool? {
        var isKnown = !nodes.isEmpty
        for node in nodes {
            guard let known = revisions[node] ?? nil else {
                isKnown = false
                continue
            }
            if known[host] != revision { return false }
        }
        return isKnown ? true : nil
    }
}
