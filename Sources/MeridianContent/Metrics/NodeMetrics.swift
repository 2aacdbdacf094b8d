// NodeMetrics: what nodes measured, as Prometheus' families.
package import MeridianModel

/// The text of the measures of some nodes; every sample has the label `node`.
///
/// The same families whether a node is asked by itself or through the control plane.
package func metricsText(_ nodes: [NodeMeasures]) -> String {
    var text = MetricsText()
    writeRequests(nodes, &text)
    writeMoments(nodes, &text)
    return text.text
}

private func writeRequests(_ nodes: [NodeMeasures], _ text: inout MetricsText) {
    text.family("meridian_requests_total", .counter, "Finished requests by the class of their status.")
    for (labels, target) in targets(of: nodes) {
        for (digit, count) in target.answers.enumerated() where count > 0 {
            text.sample("meridian_requests_total", labels + [("code", digit == 0 ? "none" : "\(digit)xx")], count)
        }
    }
    text.family("meridian_request_duration_seconds", .histogram, "From a request's head to the end of its answer.")
    for node in nodes {
        let bounds = node.durationBounds.map { Double($0) / 1_000_000 }
        for target in node.targets {
            text.histogram(
                "meridian_request_duration_seconds",
                labels(of: target, on: node),
                counts: target.durations,
                bounds: bounds,
                sum: Double(target.microseconds) / 1_000_000
            )
        }
    }
    let sums: [(String, String, KeyPath<MeasuredTarget, Int>)] = [
        ("cold_requests_total", "Requests that waited for a runner to start.", \.coldStarts),
        ("upstream_errors_total", "Requests that the app's runner failed.", \.upstreamErrors),
        ("request_bytes_total", "Bytes from clients, heads included.", \.bytesIn),
        ("response_bytes_total", "Bytes to clients, heads included.", \.bytesOut),
    ]
    for (name, help, value) in sums {
        text.family("meridian_\(name)", .counter, help)
        for (labels, target) in targets(of: nodes) { text.sample("meridian_\(name)", labels, target[keyPath: value]) }
    }
    text.family("meridian_edge_refusals_total", .counter, "Requests and connections that were refused, by reason.")
    for node in nodes {
        for (reason, count) in node.refusals.sorted(by: { $0.key < $1.key }) {
            text.sample("meridian_edge_refusals_total", [("node", node.node), ("reason", reason)], count)
        }
    }
}

private func writeMoments(_ nodes: [NodeMeasures], _ text: inout MetricsText) {
    text.family("meridian_requests_in_flight", .gauge, "Requests that have a runner.")
    for (labels, target) in targets(of: nodes) { text.sample("meridian_requests_in_flight", labels, target.inFlight) }
    text.family("meridian_requests_parked", .gauge, "Requests that wait for a runner.")
    for (labels, target) in targets(of: nodes) { text.sample("meridian_requests_parked", labels, target.parked) }
    text.family("meridian_runners", .gauge, "Runners by their state.")
    for node in nodes {
        for runners in node.runners {
            let labels = [("node", node.node), ("revision", runners.revision), ("state", runners.state)]
            text.sample("meridian_runners", labels, runners.count)
        }
    }
    text.family("meridian_edge_connections", .gauge, "Client connections that are open.")
    for node in nodes { text.sample("meridian_edge_connections", [("node", node.node)], node.connections) }
    text.family("meridian_edge_route_table", .gauge, "The number of the route table in force.")
    for node in nodes { text.sample("meridian_edge_route_table", [("node", node.node)], node.routes) }
}

private func targets(of nodes: [NodeMeasures]) -> [(labels: [(String, String)], target: MeasuredTarget)] {
    nodes.flatMap { node in node.targets.map { (labels(of: $0, on: node), $0) } }
}

private func labels(of target: MeasuredTarget, on node: NodeMeasures) -> [(String, String)] {
    guard let app = target.app else { return [("node", node.node), ("address", target.target)] }
    return [("node", node.node), ("app", app), ("revision", target.target)]
}
