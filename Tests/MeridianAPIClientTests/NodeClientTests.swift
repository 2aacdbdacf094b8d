// NodeClientTests: the control plane's side of a node's control socket.
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import MeridianAPIClient
import MeridianModel
import MeridianPorts
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// A node that answers as the protocol says, on a Unix socket.
private struct FakeNode: Sendable {
    let requests = Recorder()

    /// What the node was asked, in order.
    final class Recorder: Sendable {
        private let entries = Mutex<[(line: String, body: JSONValue)]>([])

        var all: [(line: String, body: JSONValue)] { entries.withLock { $0 } }

        func add(_ line: String, _ body: JSONValue) { entries.withLock { $0.append((line, body)) } }
    }

    /// Runs `body` with a client of the node.
    func run(_ body: @escaping @Sendable (NodeClient) async throws -> Void) async throws {
        var template = Array("/tmp/meridian-node-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let socket = "\(directory)/node.sock"
        defer {
            unlink(socket)
            rmdir(directory)
        }
        let (started, starting) = AsyncStream<Void>.makeStream()
        var logger = Logger(label: "node-test")
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { request, _ in try await answer(request) },
            configuration: ApplicationConfiguration(address: .unixDomainSocket(path: socket)),
            onServerRunning: { _ in starting.yield() },
            logger: logger
        )
        let group = ServiceGroup(services: [application], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            _ = await started.first { _ in true }
            let client = NodeClient(socket: socket)
            do {
                try await body(client)
            } catch {
                await client.shutdown()
                throw error
            }
            await client.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let bytes = try await request.body.collect(upTo: 1 << 20)
        let body = bytes.readableBytes == 0 ? .null : try JSONValue(parsing: Array(bytes.readableBytesView))
        requests.add("\(request.method) \(request.uri.path)?\(request.uri.query ?? "")", body)
        switch (request.method, request.uri.path) {
        case (.put, "/assignment"): return Response(status: .noContent)
        case (.get, "/report"): return text(Self.report(number: 7).text())
        case (.get, "/reports"):
            return text((1...3).map { Self.report(number: $0).text() + "\n" }.joined())
        case (.post, "/port-check") where body["id"] == "bad":
            let status: JSONValue = ["kind": "Status", "message": "the bundle is corrupted", "code": 422]
            return text(status.text(), .unprocessableContent)
        case (.post, "/port-check"): return text(#"{"passed":true,"listening":["0.0.0.0:4000"],"elapsed":"12ms"}"#)
        case (.get, "/log"): return text("one\ntwo\nthree")
        default: return Response(status: .notFound)
        }
    }

    private func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    static func report(number: Int) -> JSONValue {
        var report = NodeReport()
        report.node = "n"
        report.instance = "i"
        report.assignment = number
        return report.encoded()
    }
}

@Suite("The client of a node")
struct NodeClientTests {
    @Test("assignments, reports and port checks go over the socket in the agreed form")
    func requests() async throws {
        let node = FakeNode()
        try await node.run { client in
            var assignment = NodeAssignment()
            assignment.number = 3
            try await client.assign(assignment)
            #expect(try await client.report().assignment == 7)
            let check = try await client.checkPort("default/a-00001", RunnerTemplate(), timeout: .seconds(10))
            #expect(check.passed && check.listening == ["0.0.0.0:4000"] && check.elapsed == .milliseconds(12))
        }
        let seen = node.requests.all
        #expect(seen.map(\.line) == ["PUT /assignment?", "GET /report?", "POST /port-check?"])
        #expect(seen[0].body["number"] == 3)
        #expect(seen[2].body["id"] == "default/a-00001" && seen[2].body["timeout"] == "10s")
        #expect(seen[2].body["template"]?.object != nil)
    }

    @Test("reports stream until the node ends the stream; the last one is never lost")
    func reports() async throws {
        try await FakeNode().run { client in
            var last = 0
            for try await report in client.reports() { last = report.assignment }
            #expect(last == 3)
        }
    }

    @Test("logs come as lines, the last without a newline too")
    func log() async throws {
        let node = FakeNode()
        try await node.run { client in
            let request = LogRequest(app: ObjectKey(kind: "App", namespace: "default", name: "a"), tailLines: 5)
            var lines: [String] = []
            for try await line in try await client.log(request) { lines.append(line) }
            #expect(lines == ["one", "two", "three"])
        }
        #expect(node.requests.all.map(\.line) == ["GET /log?app=default%2Fa&tail=5"])
    }

    @Test("a refusal carries the node's words; a node that is away is unreachable")
    func errors() async throws {
        try await FakeNode().run { client in
            let error = await #expect(throws: NodeError.self) {
                _ = try await client.checkPort("bad", RunnerTemplate(), timeout: .seconds(1))
            }
            #expect(error?.code == .refused && error?.message == "the bundle is corrupted")
        }
        let away = NodeClient(socket: "/tmp/meridian-no-such-node.sock")
        let error = await #expect(throws: NodeError.self) { _ = try await away.report() }
        #expect(error?.code == .unreachable)
        await away.shutdown()
    }
}
