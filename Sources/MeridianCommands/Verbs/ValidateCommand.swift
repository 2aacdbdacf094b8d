// ValidateCommand: `meridian validate`: everything wrong with manifests, without a server.

internal import ArgumentParser
internal import MeridianManifests

struct ValidateCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check manifests; no server is needed.",
        discussion: "Prints every problem of every file as file:line:column: message. Exits 1 after an error."
    )

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var namespace: NamespaceOptions

    func validate() throws { try manifests.requireFiles() }

    func execute(_ context: CommandContext) async throws -> Int32 {
        let read = manifests.read(context, namespace: namespace.namespace)
        for diagnostic in read.diagnostics { context.output.writeLine(diagnostic.description) }
        guard !read.diagnostics.hasErrors else { return CommandExitCode.failure }
        let objects = counted(read.objects.count, "object")
        let files = counted(Set(read.objects.map(\.document.file)).count, "file")
        context.output.writeLine("\(objects) in \(files) \(read.objects.count == 1 ? "is" : "are") valid")
        return CommandExitCode.success
    }
}

/// `1 object`, `3 objects`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
