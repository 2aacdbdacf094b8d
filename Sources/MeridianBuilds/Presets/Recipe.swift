// Recipe: the commands of one build and the place of its result.
internal import MeridianModel
internal import MeridianPorts

/// What a preset does with one source.
struct Recipe: Sendable {
    /// One command; the first argument is the program's absolute path.
    struct Command: Sendable, Equatable {
        let arguments: [String]
        /// As people would type it: `go build -o … .`.
        let text: String

        /// A tool with arguments; those in `places` only say where things are and are not shown.
        init(_ tool: Tool, _ arguments: [String], places: [String] = []) {
            self.arguments = [tool.path] + arguments + places
            text = ([tool.name] + arguments).joined(separator: " ")
        }

        /// A command line for `sh -c`.
        init(shell line: String) {
            arguments = ["/bin/sh", "-c", line]
            text = line
        }
    }

    /// Where the executable is after the build.
    enum Output: Sendable, Equatable {
        case file(String)
        /// The one program directly in this directory.
        case onlyProgram(in: String)
        /// The one ELF program that was not there before the build.
        case newProgram
        /// The one ELF program of the source.
        case existingProgram
    }

    var preset: BuildPreset
    /// Commands that print the versions of what builds; their output is part of the cache's key.
    var versions: [Command] = []
    /// With network.
    var dependencies: [Command] = []
    /// Without network unless the settings say so.
    var build: [Command] = []
    var output: Output
    /// Variables that point tools to their caches and keep them from the network; the app's `build.env` goes on top.
    var environment: [String: String] = [:]
    /// The cache directory's name; nil where the preset has none.
    var cache: String?
    /// Every tool that is used, for what must be visible.
    var tools: [Tool] = []
    /// A directory whose entries with a suffix go into the bundle beside the executable (SwiftPM resources).
    var companions: (directory: String, suffix: String)?

    /// Where recipes put what they are free to place.
    static let outputDirectory = ".meridian-out"

    /// The recipe of `preset` for a source.
    ///
    /// `cache` is the directory that lasts between builds of this preset, as the build sees it.
    /// - Throws: `ToolchainMissing`, or `SourceInvalid` where the source lacks what the preset needs.
    static func make(
        _ preset: BuildPreset,
        _ settings: BuildSettings,
        tree: SourceTree,
        toolchains: Toolchains,
        cache: String
    ) throws(BuildError) -> Recipe {
        var recipe: Recipe
        switch preset {
        case .dart:
            recipe = try dart(tree: tree, toolchains: toolchains, cache: cache, isCompiled: settings.command == nil)
        case .swift: recipe = try swift(toolchains: toolchains, cache: cache)
        case .go: recipe = try go(tree: tree, toolchains: toolchains, cache: cache, isCompiled: settings.command == nil)
        case .rust: recipe = try rust(tree: tree, toolchains: toolchains, cache: cache)
        case .c: recipe = try c(tree: tree, toolchains: toolchains, isCompiled: settings.command == nil)
        case .prebuilt: recipe = Recipe(preset: .prebuilt, output: .existingProgram)
        case .command, .auto: recipe = Recipe(preset: .command, output: .newProgram)
        }
        if let command = settings.command, preset != .prebuilt {
            recipe.build = [Command(shell: command)]
            if case .file = recipe.output { recipe.output = .newProgram }
        }
        if let output = settings.output { recipe.output = .file(output) }
        return recipe
    }
}
