// NodeEdge: the edge as the rest of the node uses it.
package import MeridianModel
package import MeridianPorts

/// The part of a node that accepts requests.
package protocol NodeEdge: Sendable {
    /// Puts a table of routes in force; returns when every loop has it. A table that is not newer is ignored.
    func apply(_ routes: RouteTable) async throws(NodeError)

    /// Replaces the certificates of all hosts; the hosts of a bad one keep the last good one.
    func setCertificates(_ certificates: [HostCertificate])

    /// Replaces the set of a revision's runners; returns when every loop has it.
    ///
    /// Runners that are missing get no new request, and finish those that they have. `resumed` are the ids of those that
    /// were paused before: requests that waited for them are warm.
    func setRunners(
        _ revision: String,
        _ runners: [RunnerHandle],
        resumed: Set<String>,
        concurrencyMax: Int
    ) async

    /// Answers the revision's waiting requests with 503 and these words.
    func fail(_ revision: String, message: String) async

    /// The load now; cheap, and callable from any thread.
    var supplyLoad: SupplyLoad { get }

    /// The number of the route table in force; 0 before the first.
    var routesNumber: Int { get }

    /// What was measured since the start, without the node's name and runners.
    var measures: NodeMeasures { get }
}

/// Unpacked bundles for runners to mount.
package protocol BundleDirectories: Sendable {
    /// The directory with the files of a bundle, unpacked at first; the error names the bundle and the next step.
    func directory(for bundle: Digest) async throws(RunnerError) -> String
}
