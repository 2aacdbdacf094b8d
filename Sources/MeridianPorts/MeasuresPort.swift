// MeasuresPort: what the nodes measured, as the API server asks for it.
package import MeridianModel

/// Collects what the nodes measured.
package protocol MeasuresPort: Sendable {
    /// The measures of every node that answers, sorted by name, and the names of those that do not.
    func measures() async -> (nodes: [NodeMeasures], silent: [String])

    /// What the control plane itself counts, in Prometheus' text format.
    func ownMetrics() async throws(BackendError) -> String
}
