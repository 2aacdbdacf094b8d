// TopCommand: `meridian top`: which apps are asked how often and how fast, live.
internal import ArgumentParser
internal import MeridianModel

struct TopCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show requests, durations, errors and runners of every app, live.",
        discussion: "Each line is about the time since the one before; the first is about the first second."
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "The time between two looks: 500ms, 2s.") var interval = "1s"

    @Option(help: "How many tables are shown; default: until it is interrupted on a terminal, else one.")
    var count: Int?

    @Flag(help: "Lines for revisions rather than apps.") var revisions = false

    func validate() throws {
        guard (count ?? 1) > 0 else { throw ValidationError("--count must be above 0") }
        guard let time = Duration(text: interval), time >= .milliseconds(100), time <= .seconds(3600) else {
            throw ValidationError("--interval \"\(interval)\" is not a time of 100ms to 1h, such as 2s")
        }
    }

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        guard let time = Duration(text: interval) else {
            throw ValidationError("--interval \"\(interval)\" is no time")
        }
        let isLive = context.output.terminalColumns != nil
        var left = count ?? (isLive ? Int.max : 1)
        var block = LiveBlock()
        var before = try await MeasuredMoment(api.measures())
        while left > 0 {
            left -= 1
            do { try await Task.sleep(for: time) } catch { return CommandExitCode.success }
            let now = try await MeasuredMoment(api.measures())
            let lines = TopText(from: before, to: now, over: time, byRevision: revisions).lines
            context.output.write(isLive ? block.replacing(with: lines) : lines.map { $0 + "\n" }.joined())
            before = now
        }
        return CommandExitCode.success
    }
}
