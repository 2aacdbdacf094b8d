// MeasureTaking: what the edge and the supply have counted, put together for `/metrics` and `meridian top`.
internal import MeridianContent
internal import MeridianEdge
package import MeridianModel

extension EdgeOfNode {
    package var measures: NodeMeasures {
        let load = edge.load()
        var measures = NodeMeasures()
        measures.routes = edge.tableNumber
        measures.connections = load.connections
        measures.refusals = Dictionary(uniqueKeysWithValues: edge.refusals.map { ($0.key.name, $0.value) })
        measures.durationBounds = (0..<DurationHistogram.bucketCount - 1).map(DurationHistogram.bound)
        measures.targets = edge.measures().sorted { $0.key < $1.key }.map { key, sums in
            var target = MeasuredTarget()
            target.target = key
            target.answers = sums.answers
            target.coldStarts = sums.coldStarts
            target.upstreamErrors = sums.upstreamErrors
            target.bytesIn = sums.bytesIn
            target.bytesOut = sums.bytesOut
            target.durations = sums.durations.counts
            target.microseconds = sums.durations.microseconds
            target.parked = load.revisions[key]?.parked ?? 0
            return target
        }
        return measures
    }
}

extension NodeService {
    /// What was measured since the edge started, and the runners of this moment.
    func measures() async -> NodeMeasures {
        var measures = edge.measures
        measures.node = name
        measures.instance = instance
        let runners = await supply.runnerReports
        let load = edge.supplyLoad
        var counts: [String: [String: Int]] = [:]
        var inFlight: [String: Int] = [:]
        for runner in runners {
            counts[runner.revision, default: [:]][runner.state.rawValue, default: 0] += 1
            inFlight[runner.revision, default: 0] += load.inFlight(runner.id)
        }
        for index in measures.targets.indices {
            measures.targets[index].inFlight = inFlight[measures.targets[index].target, default: 0]
        }
        measures.runners = counts.sorted { $0.key < $1.key }.flatMap { revision, states in
            states.sorted { $0.key < $1.key }
                .map { MeasuredRunners(revision: revision, state: $0.key, count: $0.value) }
        }
        return measures
    }

    /// The measures in Prometheus' text format.
    func metrics() async -> String { metricsText([await measures()]) }
}
