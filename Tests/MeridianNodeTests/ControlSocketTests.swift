// ControlSocketTests: the control socket as the control plane's client uses it, and what the node keeps on disk.
import Glibc
import MeridianAPIClient
import MeridianContent
import MeridianModel
import MeridianPorts
import Synchronization
import Testing

@testable import MeridianNode

@Suite("The control socket")
struct ControlSocketTests {
    private func withNode(_ body: @escaping @Sendable (TestNode) async throws -> Void) async throws {
        try await withDirectory { directory in
            try await TestNode(in: directory, runners: FakeRunners(), edge: QuietEdge()).run(body)
        }
    }

    @Test("an assignment is saved for the owner only, in force, and an older one is refused")
    func assign() async throws {
        try await withNode { node in
            #expect(try await node.client.report().assignment == 0)
            try await node.client.assign(assignment(7))
            try await node.client.assign(assignment(7))
            await #expect { try await node.client.assign(assignment(6)) } throws: { error in
                (error as? NodeError)?.code == .refused && "\(error)".contains("not newer than 7")
            }
            let report = try await node.client.report()
            #expect(report.assignment == 7)
            #expect(report.routes == 7)
            #expect(report.node == "local")
            #expect(report.protections["seccomp"] == "none: a test")
            var status = stat()
            #expect(stat("\(node.directory)/assignment.json", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(stat("\(node.directory)/node.sock", &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }

    @Test("routes that no edge may serve by are refused with words, and the last good ones stay")
    func badRoutes() async throws {
        try await withNode { node in
            try await node.client.assign(assignment(1))
            var bad = assignment(2)
            bad.routes.hosts[0].backends[0].weight = 90
            await #expect { try await node.client.assign(bad) } throws: { error in
                (error as? NodeError)?.code == .refused && "\(error)".contains("web.localhost")
            }
            #expect(try await node.client.report().assignment == 1)
        }
    }

    @Test("reports come at once and after every change, and do not keep the node from ending")
    func reports() async throws {
        try await withNode { node in
            var numbers: [Int] = []
            for try await report in node.client.reports() {
                numbers.append(report.runners.count)
                if numbers.count == 1 { try await node.client.assign(assignment(1, [order(min: 2)])) }
                if report.runners.filter({ $0.state == .ready }).count == 2 { break }
                guard numbers.count < 100 else { break }
            }
            #expect(numbers.first == 0)
            #expect(numbers.last == 2)
            // This follower stays while the node drains.
            let client = node.client
            Task { for try await _ in client.reports() {} }
        }
    }

    @Test("a lesson's order comes whole, and its answer back")
    func learn() async throws {
        try await withNode { node in
            var settings = LearnSettings()
            settings.duration = .seconds(7)
            settings.paths = ["/a", "/b"]
            let lesson = try await node.client.learn("default/web-00001", RunnerTemplate(), settings)
            #expect(lesson.revision == "default/web-00001")
            #expect(lesson.syscalls == ["read", "write"])
            #expect(lesson.requests.map(\.path) == ["/a", "/b"])
            #expect(lesson.elapsed == .seconds(7))
        }
    }

    @Test("a denied syscall of a runner makes a new report, and is forgotten with its revision")
    func denied() async throws {
        try await withDirectory { directory in
            let runners = FakeRunners()
            try await TestNode(in: directory, runners: runners, edge: QuietEdge()).run { node in
                try await node.client.assign(assignment(1))
                let key = order().assignment.key
                var hasDenied = false
                for try await report in node.client.reports() {
                    if report.denied == [RevisionDenials(key, ["ptrace"])] { break }
                    if !hasDenied { runners.deny("ptrace", key) }
                    hasDenied = true
                }
                try await node.client.assign(assignment(2, []))
                #expect(try await node.client.report().denied == [])
            }
        }
    }

    @Test("a port check runs under an id of its own and comes back whole")
    func portCheck() async throws {
        try await withNode { node in
            let report = try await node.client.checkPort("default/web-00001", RunnerTemplate(), timeout: .seconds(5))
            #expect(report.passed)
            #expect(report.output.first?.hasPrefix("web-00001-") == true)
            #expect(report.output.dropFirst() == ["default/web-00001", "/nowhere"])
        }
    }

    @Test("the lines of an app without runners are none")
    func logs() async throws {
        try await withNode { node in
            let request = LogRequest(app: ObjectKey(kind: "App", namespace: "default", name: "web"), tailLines: 5)
            for try await line in try await node.client.log(request) { Issue.record("there is a line: \(line)") }
        }
    }

    @Test("the switch behind POST /drain ends the node, and its runners and socket are gone")
    func drain() async throws {
        try await withDirectory { directory in
            let runners = FakeRunners()
            let node = try TestNode(in: directory, runners: runners, edge: QuietEdge())
            try await node.run { node in
                try await node.client.assign(assignment(1, [order(min: 2)]))
                try await eventually("both runners run") { runners.state.withLock { $0.programs.count == 2 } }
                node.drain.turn()
                try await eventually("both runners are stopped") { runners.state.withLock { $0.programs.isEmpty } }
            }
            #expect(access("\(directory)/node.sock", F_OK) != 0)
        }
    }

    @Test("a path that does not fit into a socket address is refused with words")
    func longPath() async throws {
        try await withDirectory { directory in
            let long = directory + "/" + String(repeating: "x", count: 100)
            #expect(throws: NodeError.self) {
                _ = try TestNode(in: long, runners: FakeRunners(), edge: QuietEdge())
            }
        }
    }
}

@Suite("What a node keeps on disk")
struct AssignmentKeeperTests {
    private func keeper(_ directory: String, _ edge: QuietEdge) -> AssignmentKeeper {
        AssignmentKeeper(path: "\(directory)/assignment.json", edge: edge, assign: { _, _ in }, onChange: {})
    }

    @Test("the last assignment is in force again after a restart")
    func resume() async throws {
        try await withDirectory { directory in
            try await keeper(directory, QuietEdge()).take(assignment(3))
            let edge = QuietEdge()
            let second = keeper(directory, edge)
            try await second.resume()
            #expect(await second.number == 3)
            #expect(edge.routesNumber == 3)
        }
    }

    @Test("a node without a saved assignment waits for its first")
    func nothing() async throws {
        try await withDirectory { directory in
            let keeper = keeper(directory, QuietEdge())
            try await keeper.resume()
            #expect(await keeper.number == 0)
        }
    }

    @Test(
        "a file that is no assignment is named, and the next assignment replaces it",
        arguments: [
            "", "{", "{\"number\": \"x\"}", "[1]", "{\"number\": 1, \"routes\": {\"number\": 1}, \"unknown\": 2}",
        ]
    )
    func corrupted(text: String) async throws {
        try await withDirectory { directory in
            let path = "\(directory)/assignment.json"
            try DurableFile.write(Array(text.utf8), to: path)
            let keeper = keeper(directory, QuietEdge())
            await #expect { try await keeper.resume() } throws: { "\($0)".contains(path) }
            try await keeper.take(assignment(1))
            #expect(await keeper.number == 1)
        }
    }

    @Test(
        "an assignment that a full disk does not take is refused with words, and taken when there is room",
        .enabled(if: geteuid() == 0)
    )
    func diskFull() async throws {
        try await withDirectory { directory in
            try #require(run(["mount", "-t", "tmpfs", "-o", "size=64k", "small", directory]) == 0)
            defer { _ = run(["umount", "-l", directory]) }
            let keeper = keeper(directory, QuietEdge())
            try await keeper.take(assignment(1))
            _ = run(["sh", "-c", "dd if=/dev/zero of=\(directory)/filler bs=4k 2>/dev/null"])
            await #expect { try await keeper.take(assignment(2)) } throws: { error in
                "\(error)".contains("assignment 2 cannot be saved") && "\(error)".contains("No space left")
            }
            #expect(await keeper.number == 1)
            let next = self.keeper(directory, QuietEdge())
            try await next.resume()
            #expect(await next.number == 1)
            _ = run(["rm", "\(directory)/filler"])
            try await keeper.take(assignment(3))
            #expect(await keeper.number == 3)
        }
    }

    /// Runs a command to its end; its wait status.
    private func run(_ words: [String]) -> Int32 {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawnp(&pid, words[0], nil, nil, &arguments, environ) == 0 else { return -1 }
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid ? status : -1
    }

    @Test("a second node on the same data directory is refused with words")
    func lock() async throws {
        try await withDirectory { directory in
            let first = try NodeLock(path: "\(directory)/node.lock")
            #expect(throws: NodeError.self) { _ = try NodeLock(path: "\(directory)/node.lock") }
            _ = consume first
            _ = try NodeLock(path: "\(directory)/node.lock")
        }
    }
}
