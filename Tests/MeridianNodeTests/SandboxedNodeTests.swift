// SandboxedNodeTests: a node with real sandboxes: a C program is started by a request and stopped when it is idle.
import Glibc
import Logging
import MeridianAPIClient
import MeridianContent
import MeridianEdge
import MeridianModel
import MeridianPorts
import MeridianRunners
import Testing

@testable import MeridianNode

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

    @Test("a request starts the program cold, the next finds it hot, and idle it goes")
    func coldHotIdle() async throws {
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
            try await node.run { node in
                var order = order(idleAfter: .milliseconds(500)).assignment
                order.template.syscalls = SyscallGroup.allCases.flatMap(\.syscalls).sorted()
                try await node.client.assign(
                    assignment(1, [RevisionOrder(order, requestTimeoutMax: .seconds(30))])
                )
                let first = try #require(await get(port))
                #expect(first.status == 200)
                #expect(first.body == "hej\n")
                #expect(first.temperature == "cold")
                #expect(await get(port)?.temperature == "hot")
                try await eventually("the idle runner is gone") { try await node.client.report().runners.isEmpty }
            }
            await edge.stop()
            await runners.shutdown(grace: .seconds(1))
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
