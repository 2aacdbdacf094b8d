// SandboxedRunners+Stop: ending a runner: asked first, killed after the grace.
internal import Glibc
package import MeridianPorts

extension SandboxedRunners {
    package func stop(_ handle: RunnerHandle, grace: Duration) async {
        // An unknown id has ended already.
        guard let runner = runner(handle.id) else { return }
        await end(runner, grace: grace)
    }

    /// SIGTERM, SIGKILL after `grace` (or at once where the task is cancelled); returns when nothing is left.
    func end(_ runner: Runner, grace: Duration) async {
        runner.markStopping()
        // What is stopped takes no SIGTERM.
        runner.resume()
        runner.signal(SIGTERM)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = await runner.ended.value
                return true
            }
            group.addTask {
                do {
                    try await Task.sleep(for: grace)
                } catch {
                    // Cancelled: by the end below, or by a caller who does not want to wait.
                }
                runner.signal(SIGKILL)
                return false
            }
            for await hasEnded in group where hasEnded { group.cancelAll() }
        }
    }
}
