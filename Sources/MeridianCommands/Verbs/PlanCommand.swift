// PlanCommand: `meridian plan`: the steps that the loop would take, and why.

internal import ArgumentParser
internal import MeridianModel

struct PlanCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show the steps that applying manifests would lead to, and why.",
        discussion: """
            Nothing is written and no source is uploaded. Without -f it shows what the loop would do now. Exits 0 where \
            there is nothing to do, 2 where there are steps, 1 after an error.
            """
    )

    private static let changesExitCode: Int32 = 2

    /// How a plan is printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var namespace: NamespaceOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("How to print the plan.", valueName: "text|json"))
    var output: Format = .text

    func execute(_ context: CommandContext) async throws -> Int32 {
        let declared = try manifests.objects(context, namespace: namespace.namespace)
        let outgoing = try OutgoingObjects(declared, context)
        let plan = PlanText(
            try await connection.withServer(context) { try await $0.plan(outgoing.objects.map(\.json)) }
        )
        switch output {
        case .text: context.output.write(plan.text)
        case .json: context.output.write(plan.json.text(pretty: true) + "\n")
        }
        return plan.steps.isEmpty ? CommandExitCode.success : Self.changesExitCode
    }
}
