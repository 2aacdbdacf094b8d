// PresetDetectionTests: which preset fits which source, and what the recipes then do.
internal import Glibc
internal import MeridianContent
internal import MeridianModel
internal import MeridianPorts
internal import Testing

@testable internal import MeridianBuilds

@Suite("Presets")
struct PresetDetectionTests {
    @Test(
        "auto takes the preset that fits the files",
        arguments: [
            (["pubspec.yaml"], BuildPreset.dart), (["Package.swift"], .swift), (["go.mod"], .go),
            (["Cargo.toml"], .rust),
            (["Makefile"], .c), (["CMakeLists.txt"], .c), (["main.c"], .c), (["go.mod", "Makefile"], .go),
            (["Package.swift", "main.c"], .swift),
        ]
    )
    func detection(files: [String], preset: BuildPreset) throws {
        try withTree(files) { tree in
            let detected = try BuildPreset.detect(BuildSettings(), in: tree)
            #expect(detected == preset)
        }
    }

    @Test("two languages are ambiguous: the error names both files and spec.build.preset")
    func ambiguous() throws {
        try withTree(["go.mod", "Cargo.toml"]) { tree in
            let error = #expect(throws: BuildError.self) { try BuildPreset.detect(BuildSettings(), in: tree) }
            #expect(error?.reason == "UnknownPreset")
            #expect(error?.message.contains("go.mod and Cargo.toml") == true)
            #expect(error?.message.contains("spec.build.preset") == true)
        }
    }

    @Test("nothing known is an error that says what would be known")
    func nothing() throws {
        try withTree(["README.md"]) { tree in
            let error = #expect(throws: BuildError.self) { try BuildPreset.detect(BuildSettings(), in: tree) }
            #expect(error?.message.contains("pubspec.yaml") == true)
            #expect(error?.message.contains("spec.build.command") == true)
        }
    }

    @Test("a command alone is enough")
    func command() throws {
        var settings = BuildSettings()
        settings.command = "./build.sh"
        try withTree(["build.sh"]) { tree in
            let detected = try BuildPreset.detect(settings, in: tree)
            #expect(detected == .command)
        }
    }

    @Test("a named preset is not questioned")
    func named() throws {
        var settings = BuildSettings()
        settings.preset = .rust
        try withTree(["go.mod"]) { tree in
            let detected = try BuildPreset.detect(settings, in: tree)
            #expect(detected == .rust)
        }
    }

    @Test("one ELF program is prebuilt, whatever its processor; two are ambiguous")
    func prebuilt() throws {
        let header = String(decoding: elfHeader(machine: 62), as: UTF8.self)
        try withTree(["bin/server"], content: header) { tree in
            let detected = try BuildPreset.detect(BuildSettings(), in: tree)
            #expect(detected == .prebuilt)
        }
        try withTree(["bin/server", "bin/other"], content: header) { tree in
            let error = #expect(throws: BuildError.self) { try BuildPreset.detect(BuildSettings(), in: tree) }
            #expect(error?.message.contains("bin/other and bin/server") == true)
        }
    }

    @Test(
        "a missing toolchain is named with what to install",
        arguments: [
            (BuildPreset.go, "go is not on PATH"), (.swift, "swift is not on PATH"), (.rust, "cargo is not on PATH"),
            (.dart, "dart is not on PATH"), (.c, "cc, gcc or clang is not on PATH"),
        ]
    )
    func missingToolchain(preset: BuildPreset, words: String) throws {
        try withTree(["Makefile"]) { tree in
            let error = #expect(throws: BuildError.self) {
                try Recipe.make(
                    preset,
                    BuildSettings(),
                    tree: tree,
                    toolchains: Toolchains(search: "/nonexistent"),
                    cache: "/cache"
                )
            }
            #expect(error?.reason == "ToolchainMissing")
            #expect(error?.message.contains(words) == true)
            #expect(error?.message.contains("install") == true)
        }
    }

    @Test("a command replaces the build step and keeps the dependency step")
    func commandOverridesPreset() throws {
        try withTools(["go"]) { tools in
            try withTree(["go.mod"]) { tree in
                var settings = BuildSettings()
                settings.command = "go build -o app ./x"
                let recipe = try Recipe.make(.go, settings, tree: tree, toolchains: tools, cache: "/cache")
                #expect(recipe.dependencies.map(\.text) == ["go mod download"])
                #expect(recipe.build.map(\.text) == ["go build -o app ./x"])
                #expect(recipe.output == .newProgram)
            }
        }
    }

    @Test("Go builds the main package at the top, else the only one below cmd/")
    func goMain() throws {
        try withTools(["go"]) { tools in
            let make = { (tree: SourceTree) in
                try Recipe.make(.go, BuildSettings(), tree: tree, toolchains: tools, cache: "/cache").build.first?.text
            }
            try withTree(["main.go"], content: "// x\npackage main\n") { tree in
                let command = try make(tree)
                #expect(command?.hasSuffix(" .") == true)
            }
            try withTree(["cmd/web/main.go"], content: "package main\n") { tree in
                let command = try make(tree)
                #expect(command?.hasSuffix(" ./cmd/web") == true)
            }
            try withTree(["cmd/a/main.go", "cmd/b/main.go"], content: "package main\n") { tree in
                let error = #expect(throws: BuildError.self) { try make(tree) }
                #expect(error?.message.contains("cmd/a and cmd/b") == true)
            }
        }
    }

    @Test("Dart compiles bin/<package>.dart and runs build_runner where it is a dependency")
    func dart() throws {
        try withTools(["dart"]) { tools in
            let pubspec = "name: shop # the shop\ndev_dependencies:\n  build_runner: ^2.0.0\n"
            try withTree(["pubspec.yaml", "bin/shop.dart"], content: pubspec) { tree in
                let recipe = try Recipe.make(.dart, BuildSettings(), tree: tree, toolchains: tools, cache: "/cache")
                #expect(recipe.build.count == 2)
                #expect(recipe.build.last?.text == "dart compile exe bin/shop.dart -o .meridian-out/server")
            }
            try withTree(["pubspec.yaml"], content: "name: x\n") { tree in
                let error = #expect(throws: BuildError.self) {
                    try Recipe.make(.dart, BuildSettings(), tree: tree, toolchains: tools, cache: "/cache")
                }
                #expect(error?.message.contains("bin/x.dart") == true)
            }
        }
    }

    @Test("a Makefile without make, and a C source without anything to build, are told apart")
    func c() throws {
        try withTools(["cc"]) { tools in
            let make = { (tree: SourceTree) in
                try Recipe.make(.c, BuildSettings(), tree: tree, toolchains: tools, cache: "/cache")
            }
            try withTree(["Makefile"]) { tree in
                #expect(throws: BuildError.self) { try make(tree) }
            }
            try withTree(["README.md"]) { tree in
                let error = #expect(throws: BuildError.self) { try make(tree) }
                #expect(error?.reason == "SourceInvalid")
            }
            try withTree(["-o.c", "a.c"]) { tree in
                let arguments = try make(tree).build.first?.arguments
                #expect(arguments?.contains("./-o.c") == true)
            }
        }
    }

    @Test("nothing outside the source is read through its links")
    func links() throws {
        let directory = try temporaryDirectory()
        defer { try? DurableFile.remove(directory) }
        try DurableFile.createDirectory("\(directory)/source/inside")
        try DurableFile.write(Array("secret".utf8), to: "\(directory)/secret")
        symlink("../secret", "\(directory)/source/up")
        symlink("/etc/passwd", "\(directory)/source/absolute")
        symlink("inside", "\(directory)/source/fine")
        let tree = try SourceTree(path: "\(directory)/source")
        #expect(tree.text(of: "up") == nil)
        #expect(tree.text(of: "absolute") == nil)
        #expect(tree.text(of: "../secret") == nil)
        #expect(tree.kind(of: "fine") == .directory)
        #expect(throws: FileError.self) { try tree.open("up") }
    }
}

/// Runs `body` on a source with these files.
private func withTree(_ files: [String], content: String = "x", _ body: (SourceTree) throws -> Void) throws {
    let directory = try temporaryDirectory()
    defer { try? DurableFile.remove(directory) }
    for file in files {
        try DurableFile.createDirectory(DurableFile.directory(of: "\(directory)/\(file)"))
        try DurableFile.write(Array(content.utf8), to: "\(directory)/\(file)")
    }
    try body(try SourceTree(path: directory))
}

/// Runs `body` with a PATH on which exactly these programs are.
private func withTools(_ names: [String], _ body: (Toolchains) throws -> Void) throws {
    let directory = try temporaryDirectory()
    defer { try? DurableFile.remove(directory) }
    for name in names { try DurableFile.write([], to: "\(directory)/\(name)", mode: 0o755) }
    try body(Toolchains(search: directory))
}
