// StartTimes: times starts of the same servers bare, in our sandboxes and in others', interleaved; see Benchmarks/start.
import Glibc
import MeridianModel
import MeridianRunners

/// `start-times ZYGOTE SERVERS REPETITIONS [WAY…]`: prints the table of all ways, or of the named ones.
///
/// `start-times allowlist` prints the syscalls that the sandboxes allow, for the others' configuration.
@main
enum StartTimes {
    static func main() async throws {
        let arguments = CommandLine.arguments
        if arguments.dropFirst() == ["allowlist"] {
            print(Bench.syscalls.joined(separator: "\n"))
            return
        }
        guard arguments.count >= 4, let repetitions = Int(arguments[3]), repetitions > 0 else {
            fail("usage: start-times ZYGOTE SERVERS REPETITIONS [WAY…]")
        }
        let names = arguments.dropFirst(4)
        if let unknown = names.first(where: { Way(rawValue: $0) == nil }) {
            fail("\(unknown) is not one of \(Way.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let ways = Way.allCases.filter { names.isEmpty || names.contains($0.rawValue) }
        do {
            let bench = try await Bench(zygote: arguments[1], servers: arguments[2])
            let table = try await bench.measure(ways, repetitions: repetitions)
            await bench.end()
            print(table.text)
        } catch {
            fail("start-times: \(error)")
        }
    }

    static func fail(_ message: String) -> Never {
        let bytes = Array("\(message)\n".utf8)
        _ = write(2, bytes, bytes.count)
        exit(64)
    }
}

/// The ways in which a server can come to answer.
enum Way: String, CaseIterable {
    /// vfork and exec, nothing else.
    case bare
    /// A parked shell of ours.
    case hit
    /// A sandbox of ours made on request.
    case miss
    /// A runner that was paused.
    case resume
    /// The same three by a request to the edge that finds no runner.
    case edgeHit = "edge-hit"
    case edgeMiss = "edge-miss"
    case edgeResume = "edge-resume"
    case bubblewrap
    case crun

    var title: String {
        switch self {
        case .bare: "bare vfork+exec"
        case .hit: "pool hit"
        case .miss: "pool miss"
        case .resume: "resume of a paused runner"
        case .edgeResume: "resume, through the edge"
        case .edgeHit: "pool hit, through the edge"
        case .edgeMiss: "pool miss, through the edge"
        case .bubblewrap: "bubblewrap"
        case .crun: "crun"
        }
    }
}
