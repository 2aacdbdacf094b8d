// ReadyNotice: tells clients where the platform answers, once it does, and takes the word back at the end.
import Glibc
import MeridianAPIClient
import MeridianContent
import MeridianModel

/// What clients on this machine need besides the URL; the file that carries it is its owner's alone.
struct LocalAccess: Sendable {
    /// PEM text; nil: the certificate is one that the system believes.
    let certificateAuthority: String?
    let token: String
}

/// Writes `server.json` when the API listens and the node's edge accepts requests.
struct ReadyNotice: Sendable {
    let directory: DataDirectory
    let node: NodeClient
    /// What clients on this machine call the server.
    let host: String
    /// Nil: the API speaks plain HTTP, and this machine needs no token.
    let access: LocalAccess?
    let edgeAddresses: EdgeAddresses
    /// What the platform did about its access, for whoever started it.
    let notes: [String]
    let onReady: @Sendable (ControlPlaneAddresses) async -> Void

    /// How long the node may take to answer for the first time before the notice goes out without it.
    private static let nodeWait = Duration.seconds(20)
    private static let nodeLookInterval = Duration.milliseconds(20)

    /// Waits for the edge, writes the file and calls `onReady`.
    func apiListens(on port: Int) async {
        let name = host.contains(":") ? "[\(host)]" : host
        let api = "\(access == nil ? "http" : "https")://\(name):\(port)"
        let edges = await boundEdges().map { "http://\($0)" }
        var document = JSONObject()
        document["api"] = .string(api)
        document["edge"] = .array(edges.map { .string($0) })
        document["pid"] = .integer(Int64(getpid()))
        document["certificateAuthority"] = access?.certificateAuthority.map { .string($0) }
        document["token"] = access.map { .string($0.token) }
        do throws(ContentError) {
            try DurableFile.write(JSONValue.object(document).utf8(pretty: true), to: directory.serverFile, mode: 0o600)
        } catch {
            // Clients can still be told the address with --server.
            print("warning: \(directory.serverFile) cannot be written: \(error)")
        }
        await onReady(ControlPlaneAddresses(api: api, edges: edges, notes: notes))
    }

    private func boundEdges() async -> [String] {
        let deadline = ContinuousClock.now + Self.nodeWait
        while ContinuousClock.now < deadline, !Task.isCancelled {
            if let report = try? await node.report(), !report.edges.isEmpty {
                edgeAddresses.bind(report.edges)
                return report.edges
            }
            // Cancellation ends the wait early, and the loop with it.
            try? await Task.sleep(for: Self.nodeLookInterval)
        }
        return []
    }

    /// Removes the file, so that clients say that nothing runs.
    func withdraw() { unlink(directory.serverFile) }
}
