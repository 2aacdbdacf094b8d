// RunnerLauncher: one cold start: the bundle, the process, the first accepted connection.
internal import Logging
internal import MeridianModel
internal import MeridianPorts

/// Starts runners and says how each start goes.
struct RunnerLauncher: Sendable {
    let runners: any RunnerPort
    let bundles: any BundleDirectories
    let logger: Logger

    /// Starts a runner and waits until it is ready; `report` gets `spawned` and `becameReady`, or `startFailed`.
    func launch(_ order: RunnerOrder, report: @Sendable (SupplyEvent) -> Void) async {
        let clock = ContinuousClock()
        let begin = clock.now
        do throws(RunnerError) {
            let bundle = try await bundles.directory(for: order.template.bundle)
            let fetched = clock.now
            let handle = try await runners.start(
                order.id,
                revision: order.revision,
                order.template,
                bundle: bundle
            )
            let spawned = clock.now
            report(.spawned(handle))
            try await runners.waitReady(handle)
            report(.becameReady(id: order.id))
            logger.debug(
                "cold start",
                metadata: [
                    "runner": "\(order.id)", "fetch": "\(fetched - begin)", "spawn": "\(spawned - fetched)",
                    "ready": "\(clock.now - spawned)",
                ]
            )
        } catch {
            report(.startFailed(id: order.id, message: error.message))
        }
    }
}
