// RollbackCommand: `meridian rollback`: serves an earlier revision again, without a build.

internal import ArgumentParser
internal import MeridianModel

struct RollbackCommand: ServerCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Serve an earlier revision of an app again.",
        discussion: """
            Without --to it is the newest ready revision before the one that serves. It holds until a newer revision is \
            ready. Nothing is built; the old revision's runners are ready before requests reach it.
            """
    )

    @OptionGroup var arguments: AppArguments
    var connection: ConnectionOptions { arguments.connection }
    @Option(help: "The revision to serve.") var to: String?

    func execute(_ context: CommandContext, _ api: any ControlPlaneAPI) async throws -> Int32 {
        let key = arguments.key
        guard let before = try await api.object(key) else {
            throw notFound(try knownKind(App.kind), key.name, key.namespace)
        }
        let patience = Patience(seconds: Patience.secondsMax)
        let answer = try await api.rollback(key, to: to)
        let chosen = answer["metadata"]?["annotations"]?[OwnAnnotation.rollbackTo]?.string ?? to
        guard let target = chosen else {
            throw CommandFailure(
                key.reference,
                "the server did not say which revision it chose",
                next: "Name one with --to"
            )
        }
        try await patience.until("\(target) serves", "It goes on; look again with: meridian describe app \(key.name)") {
            guard let json = try await api.object(key)?["status"] else { return false }
            var context = DecodingContext()
            let status = AppStatus.decode(json, at: FieldPath("status"), &context)
            return status?.servingRevision == target && status?.isRouted == true
        }
        let origin = before["status"]?["servingRevision"]?.string ?? "nothing"
        let time = shortText(patience.elapsed)
        context.output.writeLine("\(key.reference) rolled back: \(origin) → \(target) in \(time)")
        return CommandExitCode.success
    }
}
