// ManifestFilesTests: which files `-f` reads, and what it says of those it cannot.

import MeridianModel
import Testing

@testable import MeridianManifests

@Suite("Manifest files")
struct ManifestFilesTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// The `name:` of every object read, and the diagnostics without the folder's path.
    private func read(_ arguments: String..., recursive: Bool = false, input: String? = nil) -> [String] {
        let paths = arguments.map { $0 == "-" ? $0 : "\(folder.path)\($0.isEmpty ? "" : "/")\($0)" }
        let set = ManifestFiles.read(paths, recursive: recursive) { input.map { Array($0.utf8) } }
        let names = set.documents.map { $0.value["name"]?.string ?? "?" }
        let prefix = folder.path.utf8.count
        return names
            + set.diagnostics.map { diagnostic in
                let text = diagnostic.description
                return text.hasPrefix(folder.path) ? String(text.utf8.dropFirst(prefix)) ?? text : text
            }
    }

    private func app(_ name: String, source: String) -> String {
        "kind: App\nname: \(name)\nspec: {source: {path: \(source)}}\n"
    }

    @Test("a directory gives its manifests in order of name, and nothing hidden, deeper or otherwise named")
    func directory() throws {
        for name in ["b.yaml", "a.yml", "c.json", ".hidden.yaml", "notes.txt", "deeper/d.yaml"] {
            try folder.write(name, "{\"name\": \"\(name)\"}")
        }
        #expect(read("") == ["a.yml", "b.yaml", "c.json"])
    }

    @Test("recursion descends, but not into hidden directories")
    func recursion() throws {
        for name in ["z.yaml", "one/a.yaml", "one/two/b.yaml", ".git/c.yaml"] {
            try folder.write(name, "name: \(name)")
        }
        #expect(read("", recursive: true) == ["z.yaml", "one/a.yaml", "one/two/b.yaml"])
    }

    @Test("an app's source is not read for manifests, whether the app stands above it or beside it")
    func sources() throws {
        try folder.write("app.yaml", app("above", source: "./hello"))
        try folder.write("hello/test.yaml", "name: in-source")
        try folder.write("hello/deep/broken.yaml", "[")
        try folder.write("apps/app.yaml", app("beside", source: "../a-source"))
        try folder.write("a-source/x.yaml", "name: in-other-source")
        #expect(read("", recursive: true) == ["above", "beside"])
        #expect(read("hello/test.yaml", "", recursive: true) == ["in-source", "above", "beside"])
    }

    @Test("manifests beside an app that is its own source are read, those below are not")
    func ownSource() throws {
        try folder.write("shop/app.yaml", app("shop", source: "."))
        try folder.write("shop/split.yaml", "name: split")
        try folder.write("shop/fixtures/x.yaml", "name: fixture")
        #expect(read("", recursive: true) == ["shop", "split"])
    }

    @Test("standard input is read once")
    func standardInput() {
        #expect(read("-", input: "name: piped") == ["piped"])
        #expect(read("-", "-", input: "name: piped").count == 2)
        #expect(
            read("-", input: "name: [") == [
                "stdin:2:1: did not find expected node content while parsing a flow node"
            ]
        )
    }

    @Test("what cannot be read is named with the next step, and hides nothing else")
    func unreadable() throws {
        try folder.write("ok.yaml", "name: ok")
        try folder.write("empty/none.txt", "")
        #expect(
            read("ok.yaml", "gone.yaml", "empty") == [
                "ok", "/empty: has no .yaml, .yml or .json file. Name another directory, or add -R",
                "/gone.yaml: no such file or directory. Check the path after -f",
            ]
        )
        let url = ManifestFiles.read(["https://example.test/app.yaml"])
        #expect(url.diagnostics.first?.message.hasPrefix("is not read from the network") == true)
    }

    @Test("a file named twice is read once, and a directory of known files is not called empty")
    func twice() throws {
        try folder.write("a.yaml", "name: a")
        #expect(read("a.yaml", "a.yaml", "") == ["a"])
    }

    @Test("a file beyond the bound is refused")
    func tooLarge() throws {
        try folder.write("big.yaml", String(repeating: "# comment\n", count: ManifestFiles.fileBytesMax / 10 + 1))
        #expect(read("big.yaml") == ["/big.yaml: is larger than 16 MiB, which no manifest is. Split it"])
    }

    @Test("problems of all files are told in one run")
    func allFiles() throws {
        try folder.write("a.yaml", "a: [")
        try folder.write("b.yaml", "b: {x: 1, x: 2}")
        #expect(read("").count == 2)
    }
}
