// NodeParts: the real edge and bundles behind the protocols that the rest of the node uses.
internal import CLinux
internal import Glibc
package import Logging
package import MeridianEdge
package import MeridianModel
package import MeridianPorts
internal import MeridianRegistry

/// The epoll edge as the supply and the keeper use it.
package struct EdgeOfNode: NodeEdge {
    let edge: Edge
    let logger: Logger

    /// `logger` hears of certificates that are refused.
    package init(edge: Edge, logger: Logger) {
        self.edge = edge
        self.logger = logger
    }

    package func apply(_ routes: RouteTable) async throws(NodeError) {
        do throws(EdgeError) {
            try await edge.apply(routes)
        } catch {
            throw NodeError(.refused, "\(error)")
        }
    }

    package func setCertificates(_ certificates: [HostCertificate]) {
        let given = certificates.map { EdgeCertificate(hosts: $0.hosts, chain: $0.chain, key: $0.key) }
        for refusal in edge.setCertificates(given) {
            logger.error("a certificate is refused", metadata: ["reason": "\(refusal)"])
        }
    }

    package func setRunners(
        _ revision: String,
        _ runners: [RunnerHandle],
        resumed: Set<String>,
        concurrencyMax: Int
    ) async {
        let endpoints = runners.map {
            RunnerEndpoint(
                id: $0.id,
                networkNamespace: $0.networkNamespace,
                port: $0.port,
                isResumed: resumed.contains($0.id)
            )
        }
        await edge.setRunners(revision, endpoints, concurrencyMax: concurrencyMax)
    }

    package func fail(_ revision: String, message: String) async { await edge.fail(revision, message: message) }

    package var supplyLoad: SupplyLoad {
        let load = edge.load()
        let now = clinux_milliseconds(CLOCK_MONOTONIC)
        let runners = load.runners.mapValues { runner in
            let quiet = Duration.milliseconds(max(0, now - runner.lastActivityMilliseconds))
            return SupplyLoad.Runner(inFlight: runner.inFlight, quietFor: runner.requests == 0 ? nil : quiet)
        }
        return SupplyLoad(parked: load.revisions.mapValues(\.parked), runners: runners)
    }

    package var routesNumber: Int { edge.tableNumber }
}

/// Bundles of the registry on the same machine.
struct RegistryBundles: BundleDirectories {
    let bundles: Bundles

    func directory(for bundle: Digest) async throws(RunnerError) -> String {
        do throws(RegistryError) {
            return try await bundles.directory(for: bundle)
        } catch {
            let reason = error.code == .notFound ? "BundleMissing" : "BundleUnreadable"
            throw RunnerError(reason: reason, message: "bundle \(bundle.short): \(error.message)")
        }
    }

    /// Deletes the unpacked trees of all bundles but these; nothing may be running yet.
    func removeUnused(keeping used: Set<Digest>) async throws(NodeError) {
        do throws(RegistryError) {
            _ = try await bundles.removeUnused(keeping: used)
        } catch {
            throw NodeError(.refused, "unused bundles are not removed: \(error.message)")
        }
    }
}
