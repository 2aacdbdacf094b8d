// SteadyPathTests: what a request costs on kept connections, counted instead of timed.
import CAllocationCount
import Glibc
import MeridianEdge
import MeridianModel
import MeridianRouting
import Testing

extension EdgeTests {
    @Suite("The steady path")
    struct SteadyPath {
        private static let connections = 32
        /// Requests on each connection before the counting begins: pools and meters are made by then.
        private static let warmUpRequests = 20

        @Test("a request on kept connections allocates nothing")
        func allocations() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("hello, world\n") }), loops: 1)
            let loop = try #require(loopThread())
            let clients = try (0..<Self.connections).map { _ in try stand.client() }
            try exchange(clients, times: Self.warmUpRequests)
            allocation_count_begin(loop)
            try exchange(clients, times: 50)
            let count = allocation_count()
            allocation_count_begin(0)
            #expect(count == 0, "\(count) allocations in \(50 * Self.connections) requests")
            await stand.stop()
        }

        @Test("the count of allocations sees one")
        func countingWorks() {
            allocation_count_begin(allocation_thread())
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 8)
            let count = allocation_count()
            allocation_count_begin(0)
            memory.deallocate()
            #expect(count == 1)
        }

        @Test(
            "a request on 32 busy connections takes at most 4.3 system calls",
            .enabled(if: hasTools("strace", "wrk"), "strace or wrk is missing")
        )
        func systemCalls() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("hello, world\n") }), loops: 1)
            let loop = try #require(loopThread())
            let load = "wrk -t1 -c\(Self.connections) -H 'Host: app.test' http://127.0.0.1:\(stand.port)/"
            let command = """
                \(load) -d1s >/dev/null
                strace -c -q -o /proc/self/fd/3 -p \(loop) 3>&1 & tracer=$!
                sleep 0.5; \(load) -d2s | grep 'requests in'; kill -INT $tracer; wait $tracer
                """
            let output = try await blocking { try run(command) }
            let words = output.split(separator: "\n").map { $0.split(separator: " ") }
            let requests = try #require(words.first { $0.contains("requests") }.flatMap { Double($0[0]) }, "\(output)")
            let calls = try #require(words.first { $0.last == "total" }.flatMap { Double($0[$0.count > 5 ? 3 : 2]) })
            #expect(calls / requests <= 4.3, "\(calls / requests) calls a request:\n\(output)")
            await stand.stop()
        }

        @Test("an idle connection takes at most 2 kB of the process")
        func idleConnections() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("hi") }), loops: 1)
            for _ in 0..<50 { _ = try stand.get() }
            let before = residentKilobytes()
            let clients = try (0..<2000).map { _ in try stand.client() }
            for client in clients {
                try client.send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n")
                _ = try client.receiveResponse()
            }
            // The clients' own objects are in the same process and counted with them.
            #expect((residentKilobytes() - before) * 1024 / clients.count <= 2048)
            withExtendedLifetime(clients) {}
            await stand.stop()
        }

        @Test("a table of 100,000 hosts is swapped in at once and serves as a small one")
        func largeTable() async throws {
            let stand = try await EdgeStand(TestBackend(answering: { _ in ok("hi") }), loops: 1)
            for number in 2...4 {
                let hosts = (0..<100_000).map { EdgeStand.host("app\($0 &* number).test") } + [EdgeStand.host()]
                let table = RouteTable(number: number, hosts: hosts)
                #expect(try CompiledRouteTable(table).byteCount <= 10 << 20)
                try await stand.edge.apply(table)
                #expect(try stand.get().status == 200)
            }
            let longest = stand.edge.longestSwap
            #expect(longest <= .milliseconds(1), "\(longest)")
            await stand.stop()
        }

        /// Sends a request on every connection and reads the answers, some times.
        private func exchange(_ clients: [TestSocket], times: Int) throws {
            for _ in 0..<times {
                for client in clients { try client.send("GET /items?id=42 HTTP/1.1\r\nHost: app.test\r\n\r\n") }
                for client in clients {
                    let response = try client.receiveResponse()
                    #expect(response.status == 200)
                }
            }
        }
    }
}

/// The kernel's id of the newest first loop; those of edges that were just stopped may still be ending.
func loopThread() -> pid_t? {
    guard let directory = opendir("/proc/self/task") else { return nil }
    defer { closedir(directory) }
    var newest: pid_t?
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let thread = pid_t(name), let file = fopen("/proc/self/task/\(name)/comm", "r") else { continue }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 32)
        guard fgets(&text, 32, file) != nil else { continue }
        if String(decoding: text.map { UInt8(bitPattern: $0) }, as: UTF8.self).hasPrefix("edge-0\n") {
            newest = max(newest ?? 0, thread)
        }
    }
    return newest
}

/// Whether every tool can be started.
func hasTools(_ names: String...) -> Bool { names.allSatisfy { system("command -v \($0) >/dev/null 2>&1") == 0 } }

/// What a shell command writes to its standard output.
func run(_ command: String) throws -> String {
    guard let pipe = popen(command, "r") else { throw SocketFailure(description: "popen: errno \(errno)") }
    defer { pclose(pipe) }
    var output: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
        let got = fread(&bytes, 1, bytes.count, pipe)
        guard got > 0 else { return String(decoding: output, as: UTF8.self) }
        output += bytes.prefix(got)
    }
}
