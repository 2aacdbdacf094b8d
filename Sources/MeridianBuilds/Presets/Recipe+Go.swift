// Recipe+Go: the recipe of the Go preset.
internal import MeridianModel
internal import MeridianPorts

extension Recipe {
    /// `go build` of the main package at the top, or of the only one below `cmd/`.
    static func go(
        tree: SourceTree,
        toolchains: Toolchains,
        cache: String,
        isCompiled: Bool
    ) throws(BuildError) -> Recipe {
        let go = try toolchains.require("go", hint: "install Go from https://go.dev/dl")
        let output = "\(outputDirectory)/server"
        var recipe = Recipe(
            preset: .go,
            versions: [Command(go, ["version"])],
            dependencies: [Command(go, ["mod", "download"])],
            output: .file(output),
            environment: [
                "GOMODCACHE": "\(cache)/modules", "GOCACHE": "\(cache)/build", "GOPATH": "\(cache)/path",
                // The version on PATH is the one whose name is in the cache's key; no other is downloaded.
                "GOTOOLCHAIN": "local",
            ],
            cache: "go",
            tools: [go]
        )
        if isCompiled {
            let package = try mainPackage(in: tree)
            recipe.build = [Command(go, ["build", "-trimpath", "-buildvcs=false", "-o", output, package])]
        }
        return recipe
    }

    private static func mainPackage(in tree: SourceTree) throws(BuildError) -> String {
        if hasMain(in: ".", tree) { return "." }
        let commands = ((try? tree.entries(of: "cmd")) ?? []).filter { $0.kind == .directory }.map { "cmd/\($0.name)" }
        let mains = commands.filter { hasMain(in: $0, tree) }
        if mains.count == 1 { return "./\(mains[0])" }
        let what = mains.isEmpty ? "no package main at the top or below cmd/" : "several programs: \(list(mains))"
        throw BuildError(
            reason: "SourceInvalid",
            stage: .source,
            message: "the Go module has \(what). Give spec.build.command, such as go build -o server ./path, "
                + "and spec.build.output: server"
        )
    }

    /// Whether a Go file directly in the directory declares `package main`.
    private static func hasMain(in directory: String, _ tree: SourceTree) -> Bool {
        let entries = (try? tree.entries(of: directory)) ?? []
        return entries.contains { entry in
            guard entry.kind == .file, entry.name.hasSuffix(".go"), !entry.name.hasSuffix("_test.go"),
                let text = tree.text(of: "\(directory)/\(entry.name)")
            else { return false }
            return text.split(separator: "\n").contains { line in
                line.split(whereSeparator: \.isWhitespace).prefix(2).elementsEqual(["package", "main"])
            }
        }
    }
}
