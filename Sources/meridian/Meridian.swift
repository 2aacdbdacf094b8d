// Meridian: the program: the client's verbs and the roles of a server.
import ArgumentParser
import Glibc
import MeridianCommands

/// The command line of Meridian.
struct Meridian: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian",
        abstract: "A self-hosted edge platform driven by files.",
        subcommands: [UpCommand.self] + clientCommands + [RestoreCommand.self, NodeCommand.self, SimulateCommand.self]
    )
}

/// Where the program begins.
@main
enum Program {
    static func main() async {
        HeapSettings.apply()
        // A reader that goes away is an error of the write, not the end of the program.
        signal(SIGPIPE, SIG_IGN)
        exit(await CommandProgram.run(Meridian.self, arguments: Array(CommandLine.arguments.dropFirst())))
    }
}
