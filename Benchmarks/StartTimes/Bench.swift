// Bench: the servers, our node's parts, and the interleaved repetitions.
import CLinux
import Glibc
import Logging
import MeridianEdge
import MeridianModel
import MeridianNode
import MeridianPorts
import MeridianRunners

/// The servers that are started, by the name of their program.
enum Server: String, CaseIterable {
    case c, go, swift

    var title: String {
        switch self {
        case .c: "C"
        case .go: "Go net/http"
        case .swift: "Swift"
        }
    }

    /// Stands for its bundle.
    var digest: Digest {
        let digit =
            switch self {
            case .c: "1"
            case .go: "2"
            case .swift: "3"
            }
        return Digest(hex: String(repeating: digit, count: 64)) ?? .zero
    }

    var host: String { "\(rawValue).localhost" }
    var revision: String { "default/\(rawValue)-00001" }
}

/// Measures on this machine; one per process.
final class Bench {
    /// Rounds at most for each that is wanted: on a machine that is never quiet all of them have to do.
    private static let roundsFactorMax = 2

    private let directory: String
    private let runners: SandboxedRunners
    private let edge: BenchEdge
    private let filter: Int32
    private let ownNetwork: Int32
    /// Below the ports that the kernel gives to clients: one that tries a port where nothing listens yet would else at
    /// times be given that very port and meet itself.
    private static let firstPort: UInt16 = 10_000
    private static let portCount = 20_000
    private var number = 0

    init(zygote: String, servers: String) async throws {
        directory = servers
        runners = try SandboxedRunners(program: zygote, dataDirectory: "\(servers)/node")
        try await runners.warmUp()
        edge = try await BenchEdge(runners: runners, servers: servers)
        let code = try SyscallFilterCache().filter(Self.syscalls, denial: .errno).code
        filter = clinux_memory_file("filter")
        ownNetwork = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)
        guard write(filter, code, code.count) == code.count, ownNetwork >= 0 else { throw BenchError("no filter") }
    }

    func end() async {
        await edge.end()
        await runners.shutdown(grace: .zero)
    }

    /// Each round measures each way with each server once, in an order that moves on by one.
    func measure(_ ways: [Way], repetitions: Int) async throws -> Table {
        var table = Table(ways: ways, wanted: repetitions)
        var round = 0
        while round < repetitions * Self.roundsFactorMax, !table.isComplete {
            for server in Server.allCases {
                for index in ways.indices {
                    let way = ways[(index + round) % ways.count]
                    try await prepare(way)
                    let isQuiet = Quiet.wait()
                    let time = try await time(way, server)
                    table.add(time, way, server, isQuiet: isQuiet && Quiet.held)
                    try await tidy(way)
                }
            }
            round += 1
        }
        return table
    }

    private func prepare(_ way: Way) async throws {
        let shape = SandboxShape(template(.c))
        let wanted = way == .hit || way == .edgeHit ? 1 : 0
        runners.keepReady(wanted == 0 ? [:] : [shape: wanted])
        for _ in 0..<2000 where runners.parkedCount != wanted { try await Task.sleep(for: .milliseconds(1)) }
        guard runners.parkedCount == wanted else { throw BenchError("no shell is parked") }
    }

    private func tidy(_ way: Way) async throws {
        if [.edgeHit, .edgeMiss, .edgeResume].contains(way) { try await edge.stopRunners() }
    }

    private func time(_ way: Way, _ server: Server) async throws -> Int64 {
        number += 1
        let port = Self.firstPort + UInt16(number % Self.portCount)
        switch way {
        case .bare: return try bare(server, port)
        case .hit, .miss: return try await sandboxed(server)
        case .resume: return try await resumed(server)
        case .edgeHit, .edgeMiss: return try edge.measure(server)
        case .edgeResume: return try await edge.measurePaused(server)
        case .bubblewrap:
            let bundle = "\(directory)/\(server.rawValue)"
            return try Bubblewrap(bundle: bundle, filter: filter, ownNetwork: ownNetwork).measure(port)
        case .crun:
            let directory = "\(directory)/\(server.rawValue)-oci"
            return try Crun(directory: directory, ownNetwork: ownNetwork).measure(8080, id: "bench-\(number)")
        }
    }

    private func bare(_ server: Server, _ port: UInt16) throws(BenchError) -> Int64 {
        let begin = nanoseconds()
        let process = try Process.spawn(["\(directory)/\(server.rawValue)/server"], environment: ["PORT=\(port)"])
        defer { process.end() }
        try Asking.untilAnswered(port) { Asking.ownSocket() }
        return nanoseconds() - begin
    }

    private func sandboxed(_ server: Server) async throws -> Int64 {
        let network = try RunnerNetwork()
        let begin = nanoseconds()
        let handle = try await runners.start(
            "\(server.rawValue)-\(number)",
            revision: server.revision,
            template(server),
            bundle: "\(directory)/\(server.rawValue)"
        )
        try await runners.waitReady(handle)
        let socket = try network.connect(to: handle)
        try Asking.ask(socket)
        let time = nanoseconds() - begin
        close(socket)
        await runners.stop(handle, grace: .zero)
        return time
    }

    private func resumed(_ server: Server) async throws -> Int64 {
        let handle = try await runners.start(
            "\(server.rawValue)-\(number)",
            revision: server.revision,
            template(server),
            bundle: "\(directory)/\(server.rawValue)"
        )
        try await runners.waitReady(handle)
        let network = try RunnerNetwork()
        let first = try network.connect(to: handle)
        try Asking.ask(first)
        close(first)
        runners.pause(handle)
        // Programs are paused for seconds and more; a few milliseconds let the machine settle.
        try await Task.sleep(for: .milliseconds(5))
        _ = Quiet.wait()
        let begin = nanoseconds()
        runners.resume(handle)
        let socket = try network.connect(to: handle)
        try Asking.ask(socket)
        let time = nanoseconds() - begin
        close(socket)
        await runners.stop(handle, grace: .zero)
        return time
    }

    private func template(_ server: Server) -> RunnerTemplate { Self.template(server) }

    /// The allowlist that apps have by default.
    static let syscalls = SyscallGroup.allCases.flatMap(\.syscalls).sorted()

    static func template(_ server: Server) -> RunnerTemplate {
        var template = RunnerTemplate()
        template.bundle = server.digest
        template.executable = "server"
        template.syscalls = syscalls
        return template
    }
}
