// Backends: what the API server asks of the loop: previews and the summary.
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts

/// Previews: the loop's own planner over the loop's own world.
struct PlanBackend: PlanPort {
    let reconciler: Reconciler

    func plan(
        overlaying objects: [JSONValue],
        removing removed: [ObjectKey]
    ) async throws(BackendError) -> JSONValue {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        guard !objects.isEmpty || !removed.isEmpty else { return predict(world).document.encoded(explicit: true) }
        let prediction = predict(world, adding: objects.compactMap(declared), removing: removed)
        return prediction.document.encoded(explicit: true)
    }

    /// The object in a checked document.
    private func declared(_ value: JSONValue) -> (any APIObject)? {
        var context = DecodingContext()
        return value["kind"]?.string.flatMap(Kind.named)?.read(value, &context)
    }
}

/// The summary that `meridian status` and scripts read.
struct StatusBackend: StatusPort {
    let reconciler: Reconciler
    let audit: AuditLog
    let version: String
    let startedAt: Timestamp

    func status() async throws(BackendError) -> JSONValue {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        let serving = world.apps.count { $0.object.status.conditions.holds("Serving") }
        let nodes: [JSONValue] = world.nodeViews.sorted { $0.key < $1.key }.map { name, view in
            [
                "name": .string(name), "answers": .bool(view.report != nil),
                "edges": .array((view.report?.edges ?? []).map { .string($0) }),
                "runners": .integer(Int64(view.report?.runners.count ?? 0)),
                "assignment": .integer(Int64(view.report?.assignment ?? 0)),
            ]
        }
        return [
            "version": .string(version), "startedAt": .string(startedAt.description),
            "apps": ["total": .integer(Int64(world.apps.count)), "serving": .integer(Int64(serving))],
            "revisions": .integer(Int64(world.revisions.count)), "nodes": .array(nodes),
            "warnings": .array([audit.warning].compactMap { $0.map { .string($0) } }),
        ]
    }
}
