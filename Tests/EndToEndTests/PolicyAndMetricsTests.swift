// PolicyAndMetricsTests: what clients may do, and what is counted of it, with the real program.
import Foundation
import Glibc
import Testing

@Suite("Policies and metrics", .enabled(if: Programs.missing == nil, "needs root and the built program"), .serialized)
struct PolicyAndMetricsTests {
    @Test("a policy that is applied holds at the edge, and every request is counted", .timeLimit(.minutes(5)))
    func policy() throws {
        let metricsPort = try freePort()
        let platform = try Platform(options: ["--node-metrics", "127.0.0.1:\(metricsPort)"])
        let directory = try Fixtures.serverDirectory()
        let manifest =
            Fixtures.app("hello", "") + """
                ---
                apiVersion: meridian.dev/v1
                kind: EdgePolicy
                metadata: {name: narrow}
                spec:
                  hosts: [hello.default.localhost]
                  clientRate: {requests: 3, per: 1h}
                """
        let applied = try platform.apply(manifest, in: directory)
        try #require(applied.code == 0, "\(applied.all)")
        #expect(
            eventually(within: 10) {
                let shown = try? platform.meridian("get", "edgepolicies", "narrow", "-o", "json")
                return shown?.output.contains("\"reason\": \"Applied\"") ?? false
            }
        )
        let answers = try (0..<5).map { _ in try platform.get("hello.default.localhost") }
        #expect(answers.map(\.status) == [200, 200, 200, 429, 429])
        #expect(Int(answers[4].headers["retry-after"] ?? "") ?? 0 > 1000)
        #expect(try platform.get("hello-00001.default.localhost").status == 200)

        let node = try HTTPConnection(port: metricsPort).get("127.0.0.1", "/metrics")
        #expect(node.status == 200 && node.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
        let labels = "node=\"local\",app=\"default/hello\",revision=\"default/hello-00001\""
        for text in [node.body, try metricsOfControlPlane(platform)] {
            #expect(text.contains("meridian_requests_total{\(labels),code=\"2xx\"} 4\n"), "\(text)")
            #expect(text.contains("meridian_cold_requests_total{\(labels)} 1\n"))
            #expect(text.contains("meridian_request_duration_seconds_count{\(labels)} 4\n"))
            #expect(text.contains("meridian_edge_refusals_total{node=\"local\",reason=\"rate\"} 2\n"))
        }
        #expect(try metricsOfControlPlane(platform).contains("meridian_apps{serving=\"true\"} 1\n"))
        let top = try platform.meridian("top", "--interval", "100ms")
        #expect(top.code == 0 && top.output.contains("default/hello"), "\(top.all)")

        let widened = try platform.apply(
            """
            apiVersion: meridian.dev/v1
            kind: EdgePolicy
            metadata: {name: narrow}
            spec: {hosts: [hello.default.localhost]}
            """,
            in: directory,
            wait: false
        )
        #expect(widened.code == 0, "\(widened.all)")
        #expect(eventually(within: 10) { (try? platform.get("hello.default.localhost").status) == 200 })

        // The node's own metrics outlive the control plane.
        platform.killControlPlane()
        #expect(try HTTPConnection(port: metricsPort).get("127.0.0.1", "/metrics").status == 200)
        try platform.start()
    }

    @Test("a policy that contradicts itself is refused with its place", .timeLimit(.minutes(2)))
    func refused() throws {
        let platform = try Platform()
        let answer = try platform.apply(
            """
            apiVersion: meridian.dev/v1
            kind: EdgePolicy
            metadata: {name: wrong}
            spec:
              hosts: [a.test]
              deny: [10.0.0.0/33]
              connectionsPerClient: 5
            """,
            in: try Fixtures.serverDirectory(),
            wait: false
        )
        #expect(answer.code == 1)
        #expect(answer.all.contains("\"10.0.0.0/33\" is not an address range"), "\(answer.all)")
    }

    private func metricsOfControlPlane(_ platform: Platform) throws -> String {
        let port = UInt16(platform.api.split(separator: ":").last ?? "") ?? 0
        return try HTTPConnection(port: port).get("127.0.0.1:\(port)", "/metrics").body
    }
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
private func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    try #require(result == 0, "no free port")
    return UInt16(bigEndian: address.sin_port)
}
