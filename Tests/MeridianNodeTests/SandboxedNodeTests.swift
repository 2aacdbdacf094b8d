// SandboxedNodeTests: a node with real sandboxes: a C program is started by a request and stopped when it is idle.
import Glibc
import Logging
import MeridianAPIClient
import MeridianContent
import MeridianEdge
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianNode
@testable import MeridianRunners

/// Every bundle is one directory of the machine.
private struct OneBundle: BundleDirectories {
    let path: String

    func directory(for bundle: Digest) async throws(RunnerError) -> String { path }
}

/// Why the machine cannot run these tests; nil where it can.
private let obstacle: String? = {
    if geteuid() != 0 { return "not root" }
    if ZygoteProgram.locate() == nil { return "no meridian-zygote beside the tests" }
    return access("/usr/bin/cc", X_OK) == 0 ? nil : "no C compiler"
}()

@Suite("A node with real sandboxes", .serialized)
struct SandboxedNodeTests {
    private static let source = """
        #include <arpa/inet.h>
        #include <stdlib.h>
        #include <sys/socket.h>
        #include <unistd.h>
        int main(void) {
            struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
            int listener = socket(AF_INET, SOCK_STREAM, 0);
            if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 64) != 0) return 1;
            for (;;) {
                char request[4096];
                static const char answer[] = "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nhej\\n";
                int client = accept(listener, 0, 0);
                if (client < 0) return 2;
                if (read(client, request, sizeof request) > 0) (void)!write(client, answer, sizeof answer - 1);
                close(client);
            }
        }
        """

    /// Runs `body` with a node over real sandboxes behind a real edge on some port.
    private func withNode(_ body: @escaping @Sendable (TestNode, SandboxedRunners, UInt16) async throws -> Void)
        async throws
    {
        if let obstacle {
            print("skipped: \(obstacle)")
            return
        }
        try await withDirectory { directory in
            let bundle = "\(directory)/bundle"
            try DurableFile.createDirectory(bundle)
            chmod(directory, 0o755)
            try DurableFile.write(Array(Self.source.utf8), to: "\(directory)/server.c")
            try #require(compile("\(directory)/server.c", to: "\(bundle)/server"))
            let program = try #require(ZygoteProgram.locate())
            let runners = try SandboxedRunners(program: program, dataDirectory: directory)
            let demands = DemandBox()
            let listen = [EdgeAddress(host: "127.0.0.1", port: 0)]
            let edge = Edge(EdgeConfiguration(listen: listen, loops: 1, region: "local")) { demands.add($0.revision) }
            let port = try #require(try edge.start().first?.port)
            let node = try TestNode(
                in: directory,
                runners: runners,
                edge: EdgeOfNode(edge: edge, logger: Logger(label: "test")),
                demands: demands,
                bundles: OneBundle(path: bundle)
            )
            try await node.run { try await body($0, runners, port) }
            await edge.stop()
            await runners.shutdown(grace: .seconds(1))
        }
    }

    private func allowed(_ order: RevisionOrder) -> RevisionOrder {
        var assignment = order.assignment
        assignment.template.syscalls = SyscallGroup.allCases.flatMap(\.syscalls).sorted()
        return RevisionOrder(assignment, requestTimeoutMax: .seconds(30))
    }

    @Test("a request starts the program cold, the next finds it hot, and idle it goes")
    func coldHotIdle() async throws {
        try await withNode { node, _, port in
            try await node.client.assign(assignment(1, [allowed(order(idleAfter: .milliseconds(500)))]))
            let first = try #require(await get(port))
            #expect(first.status == 200)
            #expect(first.body == "hej\n")
            #expect(first.temperature == "cold")
            #expect(await get(port)?.temperature == "hot")
            try await eventually("the idle runner is gone") { try await node.client.report().runners.isEmpty }
        }
    }

    @Test("with standby pause an idle runner is paused, and the next request finds it warm, again and again")
    func warm() async throws {
        try await withNode { node, _, port in
            let order = allowed(order(idleAfter: .milliseconds(200), standby: .pause))
            try await node.client.assign(assignment(1, [order]))
            #expect(await get(port)?.temperature == "cold")
            for _ in 0..<3 {
                try await eventually("the idle runner is paused") {
                    try await node.client.report().runners.map(\.state) == [.paused]
                }
                let answer = try #require(await get(port))
                #expect(answer.status == 200 && answer.temperature == "warm")
                #expect(await get(port)?.temperature == "hot")
            }
        }
    }

    @Test("two hundred apps at zero with a request each within a second are all answered, few starting at a time")
    func manyAtZero() async throws {
        try await withNode { node, runners, port in
            let count = 200
            var wanted = assignment(1, (0..<count).map { allowed(order("default/app\($0)-00001", max: 1)) })
            wanted.revisions.sort { $0.key < $1.key }
            wanted.routes.hosts = (0..<count).map { number in
                var route = HostRoute()
                route.host = "app\(number).localhost"
                route.app = "default/app\(number)"
                route.backends = [RouteBackend(revision: "default/app\(number)-00001", weight: 100)]
                return route
            }.sorted { $0.host < $1.host }
            try await node.client.assign(wanted)
            let answers = await withTaskGroup(of: TestAnswer?.self) { group in
                for number in 0..<count { group.addTask { await get(port, host: "app\(number).localhost") } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let refused = answers.filter { $0?.status != 200 || $0?.body != "hej\n" }
            #expect(refused.isEmpty, "\(refused.count): \(refused.first??.text ?? "no answer")")
            // One runner each: no request was taken for a reason to start a second.
            #expect(try await node.client.report().runners.count == count)
            try await eventually("the reserve is no larger than it may be") {
                (1...ShellDemand.shellsMax).contains(runners.parkedCount)
            }
        }
    }

    @Test(
        "with its runner killed, and then the launcher, requests are answered again after the back-off, and the log says why"
    )
    func killed() async throws {
        try await withNode { node, runners, port in
            let wanted = allowed(order())
            try await node.client.assign(assignment(1, [wanted]))
            for killsLauncher in [false, true] {
                try await eventually("a request is answered") { await get(port)?.status == 200 }
                let before = try await node.client.report().runners.map(\.pid)
                let runner = try #require(before.first)
                let victim = killsLauncher ? try await runners.readyZygote().pid : Int32(runner)
                kill(victim, SIGKILL)
                try await eventually("the killed runner is gone from the report") {
                    try await node.client.report().runners.allSatisfy { $0.pid != runner }
                }
                try await eventually("a request is answered again") { await get(port)?.status == 200 }
            }
            let lines = runners.logs.lines(ofRevision: wanted.assignment.key, last: 1000).map(\.text)
            #expect(lines.contains("killed by signal 9"))
            #expect(lines.contains("killed by signal 9 (the sandbox's launcher died)"))
        }
    }

    private func compile(_ source: String, to program: String) -> Bool {
        var pid: pid_t = 0
        let words = ["cc", "-static", "-O1", "-o", program, source]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&pid, "/usr/bin/cc", nil, nil, &arguments, environ) == 0 else { return false }
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }
}
