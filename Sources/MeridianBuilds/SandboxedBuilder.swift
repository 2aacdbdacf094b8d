// SandboxedBuilder: the builder port: queues builds, shares equal ones, keeps their logs.
internal import MeridianContent
internal import MeridianModel
package import MeridianPorts

/// Builds apps in the zygote's one-shot sandbox and registers the bundles.
package final class SandboxedBuilder: BuilderPort {
    /// One build at a time: a compiler uses every core, and two starve the runners on the same machine.
    package static let concurrentBuildsMax = 1
    /// More waiting builds than this are answered with `Unavailable`; the loop asks again.
    package static let waitingBuildsMax = 256

    /// The logs of the builds that this builder ran.
    package let logs: BuildLogs
    private let configuration: BuilderConfiguration
    private let registry: any RegistryPort
    private let shared = SharedBuilds()
    private let turns = Turns(concurrent: SandboxedBuilder.concurrentBuildsMax, waitingMax: waitingBuildsMax)

    /// A builder that takes packed sources from `registry` and puts bundles there.
    package init(_ configuration: BuilderConfiguration, registry: any RegistryPort) {
        self.configuration = configuration
        self.registry = registry
        logs = BuildLogs(logs: configuration.logs)
    }

    package func build(
        _ request: BuildRequest,
        progress: @escaping @Sendable (BuildProgress) -> Void
    ) async throws(BuildError) -> BuildOutcome {
        let log = try content(.source) { () throws(ContentError) in try logs.start(request.revision) }
        let key = SharedBuilds.Key(
            source: request.source.description,
            settings: request.settings.encoded(explicit: true).canonicalText,
            namespace: request.revision.split(separator: "/").first.map(String.init) ?? "",
            useCache: request.useCache
        )
        let report: SharedBuilds.Report = { event in
            log.write(event)
            progress(event)
        }
        do throws(BuildError) {
            return try await shared.join(key, report: report) { report in
                await self.buildInTurn(request, report)
            }
        } catch {
            log.write(error)
            throw error
        }
    }

    private func buildInTurn(_ request: BuildRequest, _ report: @escaping SharedBuilds.Report) async
        -> SharedBuilds.Ended
    {
        do throws(Turns.Refusal) {
            try await turns.take()
        } catch {
            return .failure(Self.refused(error))
        }
        defer { turns.give() }
        // The time limit counts from here, so that waiting for others costs a build nothing.
        let run = BuildRun(
            request: request,
            configuration: configuration,
            registry: registry,
            report: report,
            deadline: .now + request.settings.timeout
        )
        do throws(BuildError) {
            return .success(try await run.run())
        } catch {
            return .failure(error)
        }
    }

    private static func refused(_ refusal: Turns.Refusal) -> BuildError {
        switch refusal {
        case .cancelled: .cancelled(.source)
        case .full:
            BuildError(
                reason: "Unavailable",
                stage: .source,
                message: "\(waitingBuildsMax) builds wait already. Try again when some are done",
                isTransient: true
            )
        }
    }
}
