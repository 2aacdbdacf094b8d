// ReadyNotice: tells clients where the platform answers, once it does, and takes the word back at the end.
import Glibc
import MeridianAPIClient
import MeridianContent
import MeridianModel

/// Writes `server.json` when the API listens and the node's edge accepts requests.
struct ReadyNotice: Sendable {
    let directory: DataDirectory
    let node: NodeClient
    let host: String
    let edgeAddresses: EdgeAddresses
    let onReady: @Sendable (ControlPlaneAddresses) async -> Void

    /// How long the node may take to answer for the first time before the notice goes out without it.
    private static let nodeWait = Duration.seconds(20)
    private static let nodeLookInterval = Duration.milliseconds(20)

    /// Waits for the edge, writes the file and calls `onReady`.
    func apiListens(on port: Int) async {
        let name = host.contains(":") ? "[\(host)]" : host
        let api = "http://\(name):\(port)"
        let edges = await boundEdges().map { "http://\($0)" }
        let document: JSONValue = [
            "api": .string(api), "edge": .array(edges.map { .string($0) }), "pid": .integer(Int64(getpid())),
        ]
        do throws(ContentError) {
            try DurableFile.write(document.utf8(pretty: true), to: directory.serverFile, mode: 0o600)
        } catch {
            // Clients can still be told the address with --server.
            print("warning: \(directory.serverFile) cannot be written: \(error)")
        }
        await onReady(ControlPlaneAddresses(api: api, edges: edges))
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
