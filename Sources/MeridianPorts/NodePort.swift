// NodePort: one node as the control plane uses it.
package import MeridianModel

/// A node that serves assignments and reports on itself.
package protocol NodePort: Sendable {
    /// Hands over the whole assignment; the node takes it if its number is newer, saves it, and acts on it.
    ///
    /// Returns when the assignment is saved and every edge loop has its route table.
    func assign(_ assignment: NodeAssignment) async throws(NodeError)

    /// The node's state now.
    func report() async throws(NodeError) -> NodeReport

    /// A report at once and after every change (at most one per 50 ms), until the connection or the task ends.
    func reports() -> AsyncThrowingStream<NodeReport, any Error>

    /// What the node has measured since its edge started.
    func measures() async throws(NodeError) -> NodeMeasures

    /// Runs the port check of a template on this node.
    ///
    /// `id`: names the check; asking again with the id of a finished check runs it again.
    func checkPort(
        _ id: String,
        _ template: RunnerTemplate,
        timeout: Duration
    ) async throws(NodeError) -> PortCheckReport
}

/// Why a node did not do what was asked.
package struct NodeError: Error, Sendable, CustomStringConvertible {
    /// The stable code.
    package enum Code: String, Sendable {
        /// Not connected, timed out: whether the node acted is unknown.
        case unreachable
        /// The node cannot do it: no disk, bundle corrupted, sandbox missing.
        case refused
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "node: \(code.rawValue): \(message)" }
}
