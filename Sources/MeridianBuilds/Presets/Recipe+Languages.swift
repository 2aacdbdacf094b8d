// Recipe+Languages: the recipes of the Swift, Rust and C presets.
internal import MeridianModel
internal import MeridianPorts

extension Recipe {
    /// SwiftPM in release mode with the runtime linked in; what stays dynamic is collected by the check.
    static func swift(toolchains: Toolchains, cache: String) throws(BuildError) -> Recipe {
        let swift = try toolchains.require("swift", hint: "install Swift from https://www.swift.org/install")
        let places = ["--cache-path", "\(cache)/swiftpm"]
        let release = ".build/release"
        return Recipe(
            preset: .swift,
            versions: [Command(swift, ["--version"])],
            dependencies: [Command(swift, ["package", "resolve"], places: places)],
            build: [
                Command(swift, ["build", "-c", "release", "--static-swift-stdlib", "--skip-update"], places: places)
            ],
            output: .onlyProgram(in: release),
            environment: ["CLANG_MODULE_CACHE_PATH": "\(cache)/modules"],
            cache: "swift",
            tools: [swift],
            companions: (release, ".resources")
        )
    }

    /// Cargo in release mode.
    static func rust(tree: SourceTree, toolchains: Toolchains, cache: String) throws(BuildError) -> Recipe {
        let cargo = try toolchains.require("cargo", hint: "install Rust from https://rustup.rs")
        // Without a lock file `fetch` writes one; with one, what is locked is what is built.
        let lock = tree.hasFile("Cargo.lock") ? ["--locked"] : []
        return Recipe(
            preset: .rust,
            versions: [Command(cargo, ["--version", "--verbose"])],
            dependencies: [Command(cargo, ["fetch"] + lock)],
            build: [Command(cargo, ["build", "--release", "--offline"] + lock)],
            output: .onlyProgram(in: "target/release"),
            environment: ["CARGO_HOME": "\(cache)/cargo", "CARGO_TERM_COLOR": "never"],
            cache: "rust",
            tools: [cargo]
        )
    }

    /// CMake where there is a CMakeLists.txt, else make where there is a Makefile, else every `*.c` at the top as
    /// one program.
    ///
    /// `CC` is the compiler that was found.
    static func c(tree: SourceTree, toolchains: Toolchains, isCompiled: Bool) throws(BuildError) -> Recipe {
        let compiler = try toolchains.require(
            "cc",
            "gcc",
            "clang",
            hint: "install a C compiler (apt-get install gcc)"
        )
        var recipe = Recipe(
            preset: .c,
            versions: [Command(compiler, ["--version"])],
            output: .newProgram,
            environment: ["CC": compiler.path],
            tools: [compiler]
        )
        guard isCompiled else { return recipe }
        if tree.hasFile("CMakeLists.txt") {
            let cmake = try toolchains.require("cmake", hint: "install it (apt-get install cmake)")
            recipe.tools.append(cmake)
            recipe.build = [
                Command(cmake, ["-S", ".", "-B", "build", "-DCMAKE_BUILD_TYPE=Release"]),
                Command(cmake, ["--build", "build"]),
            ]
        } else if cMakefiles.contains(where: tree.hasFile) {
            let make = try toolchains.require(
                "make",
                hint: "install it (apt-get install make) or give spec.build.command, such as cc -O2 -o server *.c"
            )
            recipe.tools.append(make)
            recipe.build = [Command(make, ["CC=\(compiler.path)"])]
        } else if !tree.cFiles.isEmpty {
            let output = "\(outputDirectory)/server"
            recipe.build = [Command(compiler, ["-O2", "-o", output] + tree.cFiles + ["-lm", "-pthread"])]
            recipe.output = .file(output)
        } else {
            throw BuildError(
                reason: "SourceInvalid",
                stage: .source,
                message: "preset c needs a Makefile, a CMakeLists.txt or *.c files at the top of the source. "
                    + "Add one of them, or give spec.build.command and spec.build.output"
            )
        }
        return recipe
    }

    /// The names that make(1) looks for.
    private static let cMakefiles = ["Makefile", "makefile", "GNUmakefile"]
}

extension SourceTree {
    /// The C files at the top of the source, sorted, in a form that no compiler takes for an option.
    var cFiles: [String] {
        let entries = (try? entries(of: ".")) ?? []
        return entries.filter { $0.kind == .file && $0.name.hasSuffix(".c") }.map { "./\($0.name)" }
    }
}
