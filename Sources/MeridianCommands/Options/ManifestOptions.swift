// ManifestOptions: -f and -R, and what the files hold.

internal import ArgumentParser
internal import MeridianManifests

/// The manifests that a verb is given.
struct ManifestOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("filename")],
        help: ArgumentHelp(
            "A manifest, a directory of them, or - for standard input. May be repeated.",
            valueName: "file"
        ),
        completion: .file(extensions: ["yaml", "yml", "json"])
    )
    var files: [String] = []

    @Flag(name: [.customShort("R"), .long], help: "Read directories with their subdirectories.")
    var recursive = false

    /// The objects in the files and everything wrong with them.
    func read(_ context: CommandContext, namespace: String, checkingSources: Bool = true) -> TypedManifests {
        let set = ManifestFiles.read(files, recursive: recursive, standardInput: context.standardInput)
        return TypedManifests(set, namespace: namespace, checkingSources: checkingSources)
    }

    /// The objects in the files; problems go to standard error, and errors among them end the verb.
    func objects(
        _ context: CommandContext,
        namespace: String,
        checkingSources: Bool = true
    ) throws -> [DeclaredObject] {
        let manifests = read(context, namespace: namespace, checkingSources: checkingSources)
        for diagnostic in manifests.diagnostics { context.errors.writeLine(diagnostic.description) }
        let errors = manifests.diagnostics.filter { $0.severity == .error }.count
        guard errors == 0 else {
            let count = errors == 1 ? "1 error" : "\(errors) errors"
            throw CommandFailure(
                "the manifests",
                "have \(count), listed above; nothing was sent",
                next: "Mend them first"
            )
        }
        return manifests.objects
    }

    /// Refuses a call without any file.
    func requireFiles() throws {
        guard files.isEmpty else { return }
        throw ValidationError("Name the manifests: -f FILE, -f DIRECTORY or -f - for standard input.")
    }
}
