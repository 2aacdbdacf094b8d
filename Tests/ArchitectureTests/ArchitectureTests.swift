// ArchitectureTests: the picture of the house in DESIGN and ARCHITECTURE cannot rot.
import Foundation
import Testing

@Suite("The house")
struct ArchitectureTests {
    @Test("every import goes to a lower floor")
    func importsGoDown() throws {
        var faults: [String] = []
        for source in try Self.sources() {
            for (line, module) in source.imports {
                guard let fault = House.fault(source.target, importing: module) else { continue }
                faults.append("\(source.path):\(line): \(fault)")
            }
        }
        #expect(faults.isEmpty, "\(faults.joined(separator: "\n"))")
    }

    @Test(
        "a forbidden import is found",
        arguments: [
            ("MeridianStore", "MeridianEdge", "sibling"), ("MeridianModel", "MeridianStore", "above"),
            ("MeridianPlanning", "Foundation", "House.foreign"), ("MeridianPlanning", "Glibc", "pure"),
            ("MeridianEdge", "NIOCore", "House.foreign"), ("MeridianNode", "MeridianControlPlane", "sibling"),
            ("Unknown", "MeridianModel", "no floor"),
        ]
    )
    func forbiddenImportIsFound(target: String, module: String, word: String) throws {
        let fault = try #require(House.fault(target, importing: module))
        #expect(fault.contains(word))
    }

    @Test("an allowed import is let through")
    func allowedImport() {
        #expect(House.fault("MeridianControl", importing: "MeridianPlanning") == nil)
        #expect(House.fault("MeridianStore", importing: "GRDB") == nil)
    }

    @Test("the import of a line is read whatever stands before it")
    func importLines() {
        let text =
            "import A\ninternal import B\npackage import struct C.D\n@testable import E\n// import F\nlet import_ = 1\n"
        #expect(Source.imports(in: text).map(\.module) == ["A", "B", "C", "E"])
    }

    @Test("every target of the house has sources, and every folder of sources is a target of the house")
    func foldersAreTargets() throws {
        let folders = Set(try FileManager.default.contentsOfDirectory(atPath: Self.root + "/Sources"))
        let known = Set(House.floors.joined()).union(["meridian-zygote"])
        #expect(folders == known)
    }

    @Test("every Swift file begins with its name and purpose")
    func headers() throws {
        for source in try Self.sources() {
            let name = URL(filePath: source.path).deletingPathExtension().lastPathComponent
            let first = source.text.prefix { $0 != "\n" }
            #expect(first.hasPrefix("// \(name): "), "\(source.path) begins with: \(first)")
        }
    }

    /// The project's root, from this file's place.
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().resolvingSymlinksInPath().path()

    private static func sources() throws -> [Source] {
        let base = root + "/Sources"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: base).filter { $0.hasSuffix(".swift") }.sorted()
        try #require(paths.count > 100, "the sources were not found in \(base)")
        return try paths.map { path in
            let text = try String(contentsOfFile: base + "/" + path, encoding: .utf8)
            let target = path.prefix { $0 != "/" }
            return Source(path: "Sources/" + path, target: String(target), text: text)
        }
    }
}

/// One Swift file.
private struct Source {
    let path: String
    let target: String
    let text: String

    var imports: [(line: Int, module: String)] { Self.imports(in: text) }

    /// The modules that a text imports, with the line of each.
    static func imports(in text: String) -> [(line: Int, module: String)] {
        let words: Set<Substring> = [
            "internal", "package", "public", "private", "fileprivate", "@testable", "@preconcurrency",
        ]
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            var parts = line.split(separator: " ")[...]
            parts = parts.drop { words.contains($0) }
            guard parts.first == "import" else { return nil }
            parts = parts.dropFirst().drop { kinds.contains($0) }
            guard let module = parts.first?.prefix(while: { $0 != "." }) else { return nil }
            return (number + 1, String(module))
        }
    }
}
