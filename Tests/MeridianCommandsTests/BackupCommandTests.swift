// BackupCommandTests: `meridian backup` makes a whole file or none.
import Glibc
import MeridianContent
import MeridianModel
import Testing

@testable import MeridianCommands

@Suite("meridian backup")
struct BackupCommandTests {
    /// The pieces of a real backup of one file.
    private static func pieces(in folder: TestFolder, damaged: [Digest] = []) async throws -> [[UInt8]] {
        try folder.write("source", "content")
        let facts = BackupManifest.Facts(
            version: "1",
            createdAt: FakePlatform.now,
            revision: 7,
            hasKeys: false,
            damaged: damaged
        )
        let item = BackupItem(path: try TarPath("store.sqlite"), source: "\(folder.path)/source")
        var pieces: [[UInt8]] = []
        for try await piece in BackupBytes(facts: facts, items: [item], owner: 0) { pieces.append(piece) }
        return pieces
    }

    @Test("writes the file for its owner alone and says what is in it")
    func whole() async throws {
        let folder = try TestFolder()
        let platform = FakePlatform()
        let pieces = try await Self.pieces(in: folder)
        platform.update { $0.backup = (pieces, false) }
        let run = await CommandRun(["backup", "\(folder.path)/b.tar"], on: platform)
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.output == "\(folder.path)/b.tar: 1 files, 7 bytes, at revision 7\n")
        #expect(run.errors.contains("the keys are not in it"))
        #expect(platform.log == ["backup"])
        var status = stat()
        #expect(stat("\(folder.path)/b.tar", &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(names(in: folder.path) == ["b.tar", "source"])

        let again = await CommandRun(["backup", "\(folder.path)/b.tar", "--with-keys"], on: platform)
        #expect(again.code == 1)
        #expect(again.errors.contains("a backup replaces nothing"))
        #expect(platform.log == ["backup"], "nobody is asked for what cannot be kept")
    }

    @Test("leaves nothing behind where the connection ends early or the bytes are no backup", arguments: [true, false])
    func broken(isCut: Bool) async throws {
        let folder = try TestFolder()
        let platform = FakePlatform()
        let pieces = try await Self.pieces(in: folder).dropLast()
        platform.update { $0.backup = (Array(pieces), isCut) }
        let run = await CommandRun(["backup", "\(folder.path)/b.tar"], on: platform)
        #expect(run.code == 1)
        #expect(run.errors.contains(isCut ? "the connection ended" : "cut"), "\(run.errors)")
        #expect(names(in: folder.path) == ["source"])
    }

    @Test("fails in words where a blob of the registry is damaged, and keeps the rest")
    func damaged() async throws {
        let folder = try TestFolder()
        let platform = FakePlatform()
        let pieces = try await Self.pieces(in: folder, damaged: [.zero])
        platform.update { $0.backup = (pieces, false) }
        let run = await CommandRun(["backup", "\(folder.path)/b.tar", "--with-keys"], on: platform)
        #expect(run.code == 1)
        #expect(run.errors.contains("blob \(Digest.zero) is damaged"))
        #expect(names(in: folder.path) == ["b.tar", "source"])
    }
}
