// ExhaustionTests: programs that take all they can get: each meets its own limit, and its neighbour goes on answering.
import MeridianModel
import MeridianPorts
import Testing

@testable import MeridianRunners

@Suite("A program that takes all it can get", .enabled(if: canSandbox), .serialized)
struct ExhaustionTests {
    /// Something that a program takes, and what it says of where it ended.
    struct Greed: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let arguments: [String]
        /// The last line of its output begins and ends so.
        let output: (begin: String, end: String)
    }

    static let greeds: [Greed] = [
        Greed(
            testDescription: "processes",
            arguments: ["fork", "10000"],
            output: ("forked 15, then ", "Resource temporarily unavailable")
        ),
        Greed(
            testDescription: "threads",
            arguments: ["threads", "10000"],
            output: ("threads 15, then ", "Resource temporarily unavailable")
        ),
        Greed(
            testDescription: "the size of /tmp",
            arguments: ["fill", "/tmp/big"],
            output: ("wrote 40", "No space left on device")
        ),
        Greed(
            testDescription: "the files of /tmp",
            arguments: ["inodes", "100000"],
            // 1024 with the root, .home and .shm of the sandbox.
            output: ("opened 102", "No space left on device")
        ),
        Greed(
            testDescription: "descriptors",
            arguments: ["descriptors", "1000000"],
            output: ("opened ", "Too many open files")
        ),
        Greed(
            testDescription: "denied syscalls",
            arguments: ["deny", "50000"],
            output: ("failed 50000 of ", "50000")
        ),
        Greed(
            testDescription: "output",
            arguments: ["flood", "200000"],
            output: ("line ", "")
        ),
    ]

    /// Runs a greedy program beside one that serves, with small limits.
    private func beside(
        _ lab: Lab,
        _ arguments: [String],
        _ change: (inout RunnerTemplate) -> Void = { _ in }
    ) async throws -> (exit: RunnerExit, output: [String]) {
        let neighbour = try await lab.start(["serve"], id: "neighbour")
        try await lab.runners.waitReady(neighbour)
        let handle = try await lab.start(arguments) { template in
            template.pids = 16
            template.temporary = .mebibytes(4)
            change(&template)
        }
        async let end = lab.finish(handle)
        for _ in 0..<20 {
            let answer = try await lab.request(neighbour)
            #expect(answer.hasSuffix("hello"))
        }
        let result = try await end
        let after = try await lab.request(neighbour)
        #expect(after.hasSuffix("hello"))
        #expect(lab.runners.runner(neighbour.id) != nil)
        await lab.runners.stop(neighbour, grace: .zero)
        return result
    }

    @Test("meets its limit, and the next runner answers meanwhile and afterwards", arguments: greeds)
    func greedy(_ greed: Greed) async throws {
        try await Lab.with { lab in
            let output = try await beside(lab, greed.arguments).output
            let last = try #require(output.last)
            #expect(last.hasPrefix(greed.output.begin) && last.hasSuffix(greed.output.end), "\(last)")
        }
    }

    @Test("is killed for memory, and the next runner is not")
    func memory() async throws {
        try await Lab.with { lab in
            let exit = try await beside(lab, ["eat", "500"]) { $0.memory = .mebibytes(32) }.exit
            #expect(exit.cause == .outOfMemory)
        }
    }

    @Test("gets the processor time that is its own and no more")
    func processor() async throws {
        try await Lab.with { lab in
            guard lab.runners.cgroups.has("cpu") else { return print("skipped: no cpu controller") }
            let output = try await beside(lab, ["spin", "1500"]) { $0.cpu = CPUQuantity(millicores: 200) }.output
            let percent = try #require(output.first.flatMap { Int($0) })
            // Unlimited it would be 100 to 200; a fifth is its own, and half leaves room for the first period's burst.
            #expect(percent < 50)
        }
    }

    @Test("leaves more descriptors than servers need, and no more than its limit")
    func descriptors() async throws {
        try await Lab.with { lab in
            let output = try await lab.run(["descriptors", "1000000"]).output
            let count = try #require(
                output.first?.split(separator: " ").dropFirst().first.flatMap { Int($0.dropLast()) }
            )
            #expect((1000...65_536).contains(count))
        }
    }
}
