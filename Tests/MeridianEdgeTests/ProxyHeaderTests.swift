// ProxyHeaderTests: balancers that name their clients by the PROXY protocol, version 2.
import MeridianEdge
import MeridianModel
import MeridianRouting
import Testing

extension EdgeTests {
    @Suite("PROXY protocol")
    struct ProxyProtocol {
        private static let signature: [UInt8] = Array("\r\n\r\n\0\r\nQUIT\n".utf8)
        private static let request = Array("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n".utf8)
        private static let version4 = header(0x21, 0x11, [192, 0, 2, 7, 127, 0, 0, 1, 1, 0, 0, 80])
        private static let version6 = header(
            0x21,
            0x21,
            [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + [UInt8](repeating: 0, count: 16) + [
                1, 0, 0, 80,
            ]
        )

        private static func header(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
            signature + [command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
        }

        /// What the app gets as `x-forwarded-for`; empty where the connection is cut.
        private func forwardedFor(_ bytes: [UInt8], trusted: String = "127.0.0.0/8", pieces: Int = .max) async throws
            -> String
        {
            var configuration = EdgeConfiguration(
                listen: [EdgeAddress(host: "127.0.0.1", port: 0)],
                loops: 1,
                region: "fra"
            )
            configuration.proxyRanges = [try #require(AddressRange(trusted))]
            let edge = Edge(configuration) { _ in }
            let port = try edge.start()[0].port
            let backend = try TestBackend(answering: { ok($0.field("x-forwarded-for") ?? "") })
            try await edge.apply(RouteTable(number: 1, hosts: [EdgeStand.host()]))
            let runner = RunnerEndpoint(id: "app", networkNamespace: -1, port: backend.port)
            await edge.setRunners(EdgeStand.revision, [runner], concurrencyMax: 10)
            let client = try TestSocket(port: port)
            for start in stride(from: 0, to: bytes.count, by: min(pieces, bytes.count)) {
                try client.send(Array(bytes[start..<min(start + min(pieces, bytes.count), bytes.count)]))
            }
            let text = String(decoding: client.receiveAll(), as: UTF8.self)
            await edge.stop()
            backend.stop()
            if text.hasPrefix("HTTP/1.1 400") { return "400" }
            return text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        }

        @Test("the client that a trusted balancer names is the one that the app sees")
        func named() async throws {
            #expect(try await forwardedFor(Self.version4 + Self.request) == "192.0.2.7")
            #expect(try await forwardedFor(Self.version6 + Self.request) == "2001:db8::9")
        }

        @Test("a header that comes byte by byte is waited for")
        func pieces() async throws {
            #expect(try await forwardedFor(Self.version4 + Self.request, pieces: 1) == "192.0.2.7")
        }

        @Test("the balancer's notes are skipped, and its own connections keep its address")
        func notesAndLocal() async throws {
            let noted = Self.header(0x21, 0x11, [192, 0, 2, 7, 127, 0, 0, 1, 1, 0, 0, 80] + [4, 0, 2, 9, 9])
            #expect(try await forwardedFor(noted + Self.request) == "192.0.2.7")
            #expect(try await forwardedFor(Self.header(0x20, 0, []) + Self.request) == "127.0.0.1")
            #expect(
                try await forwardedFor(Self.header(0x21, 0x31, [UInt8](repeating: 0, count: 216)) + Self.request)
                    == "127.0.0.1"
            )
        }

        @Test(
            "a trusted balancer without a sound header is cut off",
            arguments: [
                request, header(0x31, 0x11, [UInt8](repeating: 0, count: 12)), header(0x22, 0x11, []),
                header(0x21, 0x11, [1, 2, 3]), header(0x21, 0x11, [UInt8](repeating: 0, count: 2000)),
                Array("PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n".utf8) + request,
            ]
        )
        func malformed(_ bytes: [UInt8]) async throws { #expect(try await forwardedFor(bytes + Self.request) == "") }

        @Test("nobody else may name a client")
        func untrusted() async throws {
            #expect(try await forwardedFor(Self.version4 + Self.request, trusted: "10.0.0.0/8") == "400")
            #expect(try await forwardedFor(Self.request, trusted: "10.0.0.0/8") == "127.0.0.1")
        }
    }
}
