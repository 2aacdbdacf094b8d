// PresetDetection: which preset fits what lies in the source.
internal import MeridianModel
internal import MeridianPorts

extension BuildPreset {
    /// The files at the top of a source that tell its language, in the order in which messages name them.
    static let projectFiles: [(file: String, preset: BuildPreset)] = [
        ("pubspec.yaml", .dart), ("Package.swift", .swift), ("go.mod", .go), ("Cargo.toml", .rust),
    ]

    /// The files that tell a C project; only where no other language is told, since many projects have a Makefile
    /// beside.
    static let cProjectFiles = ["CMakeLists.txt", "Makefile", "makefile", "GNUmakefile"]

    /// The preset that `settings` name, or for `auto` the one that fits the source.
    ///
    /// - Throws: `UnknownPreset` where nothing fits or more than one does.
    static func detect(_ settings: BuildSettings, in tree: SourceTree) throws(BuildError) -> BuildPreset {
        guard settings.preset == .auto else { return settings.preset }
        let found = projectFiles.filter { tree.hasFile($0.file) }
        if found.count == 1 { return found[0].preset }
        if found.isEmpty, cProjectFiles.contains(where: tree.hasFile) || !tree.cFiles.isEmpty { return .c }
        if settings.command != nil { return .command }
        guard found.isEmpty else {
            throw unknown("the source has \(list(found.map(\.file))), so more than one preset fits", choose: found)
        }
        return try detectPrebuilt(settings, in: tree)
    }

    private static func detectPrebuilt(_ settings: BuildSettings, in tree: SourceTree) throws(BuildError) -> BuildPreset
    {
        let executables: [String]
        do throws(FileError) {
            executables = try tree.executables().map(\.path)
        } catch {
            throw BuildError(file: error, stage: .source)
        }
        switch executables.count {
        case 1: return .prebuilt
        case 0:
            let known = projectFiles.map(\.file) + ["Makefile", "CMakeLists.txt", "*.c"]
            throw unknown(
                "nothing at the top of the source tells how to build it: no \(list(known)), no ELF executable"
            )
        default:
            if settings.output != nil { return .prebuilt }
            throw BuildError(
                reason: "UnknownPreset",
                stage: .source,
                message: "the source holds \(executables.count) ELF executables: \(list(executables)). "
                    + "Name the one to run in spec.build.output and set spec.build.preset to prebuilt"
            )
        }
    }

    private static func unknown(
        _ what: String,
        choose found: [(file: String, preset: BuildPreset)] = []
    ) -> BuildError {
        let choices = found.isEmpty ? ["command"] : found.map(\.preset.rawValue)
        let rest = found.isEmpty ? " with spec.build.command" : ""
        return BuildError(
            reason: "UnknownPreset",
            stage: .source,
            message: "\(what). Set spec.build.preset to \(list(choices, word: "or"))\(rest)"
        )
    }
}

/// `a, b and c`; a long list is cut with the number of the rest.
func list(_ items: [String], word: String = "and") -> String {
    /// More names than this tell a reader nothing new.
    let shownMax = 8
    guard items.count <= shownMax else {
        return items.prefix(shownMax).joined(separator: ", ") + " \(word) \(items.count - shownMax) more"
    }
    guard let last = items.last, items.count > 1 else { return items.joined() }
    return items.dropLast().joined(separator: ", ") + " \(word) \(last)"
}
