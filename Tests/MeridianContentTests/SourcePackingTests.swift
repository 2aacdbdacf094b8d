// SourcePackingTests: what of a source directory is packed, and that nothing else decides the digest.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("A packed source")
struct SourcePackingTests {
    private func paths(_ directory: String) throws -> [String] {
        try SourcePacking.items(of: directory).map(\.path.description)
    }

    @Test("has neither secrets nor repositories nor Meridian's data in it, at any depth")
    func neverPacked() throws {
        try withDirectory { directory in
            try makeTree(
                directory,
                [
                    "main.c": "x", ".env": "x", ".env.local": "x", "a/.env": "x", ".environment": "x",
                    ".git/config": "x",
                    "a/.git": "x", ".meridian/store": "x", ".hidden": "x", "empty/.env": "x",
                ]
            )
            #expect(try paths(directory) == [".environment", ".hidden", "main.c"])
        }
    }

    @Test("keeps to the ignore files above it in the same repository")
    func inheritedRules() throws {
        try withDirectory { directory in
            try makeTree(
                directory,
                [
                    ".gitignore": "outside", "repo/.git/HEAD": "x", "repo/.gitignore": "*.o\n/apps/hello/only\n",
                    "repo/apps/hello/a.o": "x", "repo/apps/hello/a.c": "x", "repo/apps/hello/only": "x",
                    "repo/apps/hello/outside": "x",
                ]
            )
            #expect(try paths("\(directory)/repo/apps/hello") == ["a.c", "outside"])
        }
    }

    @Test("has one digest whatever the times, modes, umask and order of making")
    func deterministic() throws {
        try withDirectory { directory in
            let files = ["a/x": "1", "a/y": "2", "b": "3", "z/l": "-> ../b"]
            try makeTree("\(directory)/one", files)
            for name in ["z/l", "b", "a/y", "a/x"] { try makeTree("\(directory)/two", [name: files[name] ?? ""]) }
            chmod("\(directory)/two/b", 0o600)
            chmod("\(directory)/two/a", 0o700)
            let one = try SourcePacking.pack("\(directory)/one", to: "\(directory)/one.tar")
            let two = try SourcePacking.pack("\(directory)/two/", to: "\(directory)/two.tar")
            #expect(one == two)
            chmod("\(directory)/two/b", 0o755)
            #expect(try SourcePacking.pack("\(directory)/two", to: "\(directory)/two.tar").digest != one.digest)
        }
    }

    @Test("is refused above the bound with its largest files named")
    func tooLarge() throws {
        try withDirectory { directory in
            try makeTree(directory, ["small": "x", "big/one": String(repeating: "x", count: 3000)])
            let limits = ArchiveLimits(bytesMax: 2000, entriesMax: 10)
            let error = #expect(throws: ContentError.self) { try SourcePacking.items(of: directory, limits: limits) }
            #expect(error?.message.contains("big/one") == true)
            #expect(error?.message.contains(".gitignore") == true)
            let few = ArchiveLimits(bytesMax: 10_000, entriesMax: 1)
            #expect(throws: ContentError.self) { try SourcePacking.items(of: directory, limits: few) }
        }
    }

    @Test("is refused with links that leave it, and with what is no file")
    func links() throws {
        try withDirectory { directory in
            try makeTree(directory, ["out/f": "x", "src/l": "-> ../out/f"])
            let error = #expect(throws: ContentError.self) {
                try SourcePacking.pack("\(directory)/src", to: "\(directory)/a.tar")
            }
            #expect(error?.message.contains("l: the symbolic link") == true)
            try makeTree(directory, ["fine/a/l": "-> ../b", "fine/b": "x"])
            _ = try SourcePacking.pack("\(directory)/fine", to: "\(directory)/a.tar")
            #expect(mkfifo("\(directory)/fine/pipe", 0o600) == 0)
            #expect(throws: ContentError.self) { try SourcePacking.items(of: "\(directory)/fine") }
            #expect(throws: ContentError.self) { try SourcePacking.items(of: "\(directory)/none") }
            #expect(throws: ContentError.self) { try SourcePacking.items(of: "\(directory)/out/f") }
        }
    }
}
