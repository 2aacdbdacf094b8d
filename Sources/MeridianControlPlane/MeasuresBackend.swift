// MeasuresBackend: the nodes' measures and the control plane's own, for `/metrics` and `meridian top`.
import MeridianContent
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts

/// Asks every node, all at once.
struct MeasuresBackend: MeasuresPort {
    let nodes: [String: any NodePort]
    let reconciler: Reconciler
    let version: String
    let startedAt: Timestamp

    func measures() async -> (nodes: [NodeMeasures], silent: [String]) {
        let answers = await withTaskGroup(of: (String, NodeMeasures?).self) { group in
            for (name, node) in nodes { group.addTask { (name, try? await node.measures()) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return (answers.values.sorted { $0.node < $1.node }, nodes.keys.filter { answers[$0] == nil }.sorted())
    }

    func ownMetrics() async throws(BackendError) -> String {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        var text = MetricsText()
        text.family("meridian_build_info", .gauge, "The version of the control plane.")
        text.sample("meridian_build_info", [("version", version)], 1)
        text.family("meridian_start_time_seconds", .gauge, "When the control plane was started, since 1970.")
        text.sample("meridian_start_time_seconds", seconds: Double(startedAt.milliseconds) / 1000)
        text.family("meridian_apps", .gauge, "Apps by whether a revision of them serves.")
        let serving = world.apps.count { $0.object.status.conditions.holds("Serving") }
        text.sample("meridian_apps", [("serving", "true")], serving)
        text.sample("meridian_apps", [("serving", "false")], world.apps.count - serving)
        text.family("meridian_revisions", .gauge, "Revisions that are kept.")
        text.sample("meridian_revisions", [], world.revisions.count)
        text.family(
            "meridian_objects_held_back",
            .gauge,
            "Objects that are left alone for a while after a failed step."
        )
        text.sample("meridian_objects_held_back", [], world.heldBack.count { $0.value > world.now })
        text.family("meridian_objects_unreadable", .gauge, "Stored objects that this version cannot read.")
        text.sample("meridian_objects_unreadable", [], world.unreadable.count)
        text.family("meridian_node_up", .gauge, "Whether a node answers.")
        for (name, view) in world.nodeViews.sorted(by: { $0.key < $1.key }) {
            text.sample("meridian_node_up", [("node", name)], view.report == nil ? 0 : 1)
        }
        return text.text
    }
}
