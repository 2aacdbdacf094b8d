// Recipe+Dart: the recipe of the Dart preset, as Globe built: pub get, build_runner where configured, compile exe.
internal import MeridianModel
internal import MeridianPorts

extension Recipe {
    /// `dart compile exe` of bin/<package>.dart, bin/server.dart, or the only program in bin/.
    static func dart(
        tree: SourceTree,
        toolchains: Toolchains,
        cache: String,
        isCompiled: Bool
    ) throws(BuildError) -> Recipe {
        let dart = try toolchains.require("dart", hint: "install Dart from https://dart.dev/get-dart")
        let output = "\(outputDirectory)/server"
        var recipe = Recipe(
            preset: .dart,
            versions: [Command(dart, ["--version"])],
            dependencies: [Command(dart, ["pub", "get"])],
            output: .file(output),
            environment: ["PUB_CACHE": "\(cache)/pub", "DART_SUPPRESS_ANALYTICS": "true"],
            cache: "dart",
            tools: [dart]
        )
        guard isCompiled else { return recipe }
        let pubspec = Pubspec(tree.text(of: "pubspec.yaml") ?? "")
        if pubspec.usesBuildRunner {
            recipe.build.append(Command(dart, ["run", "build_runner", "build", "--delete-conflicting-outputs"]))
        }
        let entry = try dartEntry(pubspec, tree)
        recipe.build.append(Command(dart, ["compile", "exe", entry, "-o", output]))
        return recipe
    }

    private static func dartEntry(_ pubspec: Pubspec, _ tree: SourceTree) throws(BuildError) -> String {
        let usual = (pubspec.name.map { ["bin/\($0).dart"] } ?? []) + ["bin/server.dart", "bin/main.dart"]
        if let entry = usual.first(where: tree.hasFile) { return entry }
        let programs = ((try? tree.entries(of: "bin")) ?? []).filter { $0.kind == .file && $0.name.hasSuffix(".dart") }
        if programs.count == 1 { return "bin/\(programs[0].name)" }
        throw BuildError(
            reason: "SourceInvalid",
            stage: .source,
            message: "no program to compile: none of \(list(usual, word: "or")) is there, and bin/ has "
                + "\(programs.count) Dart files. Rename the entry point, or give spec.build.command, "
                + "such as dart compile exe path.dart -o server, and spec.build.output: server"
        )
    }
}

/// The two facts of a pubspec.yaml that the recipe needs, read line by line.
struct Pubspec {
    /// The package's name; nil where no plain `name:` line is at the top level.
    private(set) var name: String?
    /// Whether build_runner is a dependency of the package.
    private(set) var usesBuildRunner = false

    init(_ text: String) {
        var section = ""
        for line in text.split(separator: "\n") {
            let content = line.prefix { $0 != "#" }
            guard let colon = content.firstIndex(of: ":") else { continue }
            let key = content[..<colon].drop { $0 == " " }
            if content.first != " " { section = String(key) }
            if section == "name", content.first != " " {
                let value = content[content.index(after: colon)...]
                // Only a Dart identifier can be a package name, so nothing else becomes part of a path.
                name = String(value.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            }
            if section == "dev_dependencies" || section == "dependencies", key == "build_runner", content.first == " " {
                usesBuildRunner = true
            }
        }
        if name?.isEmpty ?? false { name = nil }
    }
}
