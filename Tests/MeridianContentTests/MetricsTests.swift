// MetricsTests: Prometheus' text format.
import MeridianContent
import MeridianModel
import Testing

@Suite("Metrics as text")
struct MetricsTests {
    @Test("families, labels and values are written as the format wants them, escapes included")
    func families() {
        var text = MetricsText()
        text.family("things_total", .counter, "Things with \\ and\nlines.")
        text.sample("things_total", [("name", "a \"b\" \\ c\n")], 3)
        text.sample("things_total", [], 0)
        #expect(
            text.text == """
                # HELP things_total Things with \\\\ and\\nlines.
                # TYPE things_total counter
                things_total{name="a \\"b\\" \\\\ c\\n"} 3
                things_total 0

                """
        )
    }

    @Test("a histogram's buckets add up, and the last one holds everything")
    func histogram() {
        var text = MetricsText()
        text.histogram("time_seconds", [("a", "b")], counts: [1, 0, 4], bounds: [0.5, 1], sum: 7.25)
        #expect(
            text.text == """
                time_seconds_bucket{a="b",le="0.5"} 1
                time_seconds_bucket{a="b",le="1.0"} 1
                time_seconds_bucket{a="b",le="+Inf"} 5
                time_seconds_sum{a="b"} 7.25
                time_seconds_count{a="b"} 5

                """
        )
    }

    private func node() -> NodeMeasures {
        var target = MeasuredTarget()
        target.target = "shop/api-00002"
        target.answers = [1, 0, 90, 0, 6, 3]
        target.durations = [50, 50]
        target.microseconds = 2_500_000
        target.coldStarts = 2
        target.parked = 4
        var address = MeasuredTarget()
        address.target = "192.0.2.1:80"
        address.answers = [0, 0, 5, 0, 0, 0]
        var node = NodeMeasures()
        node.node = "local"
        node.instance = "x"
        node.durationBounds = [1000]
        node.refusals = ["rate": 7]
        node.targets = [address, target]
        node.runners = [MeasuredRunners(revision: "shop/api-00002", state: "ready", count: 2)]
        return node
    }

    @Test("the measures of a node become samples with its name, the app and the revision, or the address")
    func nodeMetrics() {
        let lines = metricsText([node()]).split(separator: "\n").map(String.init)
        let labels = "node=\"local\",app=\"shop/api\",revision=\"shop/api-00002\""
        for expected in [
            "meridian_requests_total{\(labels),code=\"2xx\"} 90", "meridian_requests_total{\(labels),code=\"none\"} 1",
            "meridian_requests_total{node=\"local\",address=\"192.0.2.1:80\",code=\"2xx\"} 5",
            "meridian_request_duration_seconds_bucket{\(labels),le=\"0.001\"} 50",
            "meridian_request_duration_seconds_count{\(labels)} 100",
            "meridian_request_duration_seconds_sum{\(labels)} 2.5", "meridian_cold_requests_total{\(labels)} 2",
            "meridian_requests_parked{\(labels)} 4",
            "meridian_edge_refusals_total{node=\"local\",reason=\"rate\"} 7",
            "meridian_runners{node=\"local\",revision=\"shop/api-00002\",state=\"ready\"} 2",
        ] {
            #expect(lines.contains(expected), "\(expected)")
        }
        // Every family is declared once, before its samples.
        let types = lines.filter { $0.hasPrefix("# TYPE ") }
        #expect(Set(types).count == types.count && types.count >= 11)
    }

    @Test("measures survive the wire, and what is measured between two looks is their difference")
    func wire() throws {
        var context = DecodingContext()
        #expect(NodeMeasures.decode(node().encoded(), at: FieldPath(), &context) == node())
        var later = node().targets[1]
        later.answers[2] += 10
        later.durations = [50, 60, 1]
        later.microseconds += 5
        let difference = later.since(node().targets[1])
        #expect(difference.answers == [0, 0, 10, 0, 0, 0] && difference.durations == [0, 10, 1])
        #expect(difference.microseconds == 5 && difference.parked == 4)
    }
}
