// LearnBackend: runs an app on the node to see which syscalls it makes.
import MeridianAPIClient
import MeridianControl
import MeridianModel
import MeridianPlanning
import MeridianPorts

/// Finds the app's newest built revision and has the node run it.
struct LearnBackend: LearnPort {
    let reconciler: Reconciler
    let sealing: any SealingPort
    let nodes: [NodeClient]

    func learn(_ app: ObjectKey, _ settings: LearnSettings) async throws(BackendError) -> SyscallLesson {
        let world: World
        do throws(StoreError) {
            world = try await reconciler.world()
        } catch {
            throw BackendError(.unavailable, "the store cannot be read: \(error)")
        }
        guard let revision = newestBuilt(of: app, in: world) else {
            let next = "Wait until it is built: meridian describe app \(app.name)"
            throw BackendError(.invalid, "\(app) has no built revision to run. \(next)")
        }
        guard let template = world.runnerTemplate(of: revision) else {
            throw BackendError(.invalid, "\(revision.key): a Secret of it is missing or does not open. Apply it")
        }
        guard let node = nodes.first else { throw BackendError(.unavailable, "there is no node") }
        let opened = try opened(template)
        do throws(NodeError) {
            return try await node.learn(revision.key.path, opened, settings)
        } catch {
            throw BackendError(.unavailable, error.message)
        }
    }

    /// The newest one, although its port check may have failed: often for the very syscalls that are to be learned.
    private func newestBuilt(of app: ObjectKey, in world: World) -> Revision? {
        world.revisions.map(\.object)
            .filter { $0.metadata.namespace == app.namespace && $0.spec.app == app.name && $0.status.bundle != nil }
            .max { $0.metadata.name < $1.metadata.name }
    }

    private func opened(_ template: RunnerTemplate) throws(BackendError) -> RunnerTemplate {
        var opened = template
        opened.sealed = [:]
        for (variable, value) in template.sealed {
            do throws(SealingError) {
                opened.environment[variable] = try sealing.open(value.text, for: value.owner)
            } catch {
                throw BackendError(.unavailable, "\(value.owner): \(error.message)")
            }
        }
        return opened
    }
}
