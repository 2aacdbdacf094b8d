// BackupTests: a backup comes back as it was, and one that was cut or changed anywhere does not come back at all.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

/// Runs `body` with a directory that is deleted afterwards.
private func withDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/meridian-backup-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let directory = String(cString: made)
    let result: Result<Void, any Error>
    do { result = .success(try await body(directory)) } catch { result = .failure(error) }
    try DurableFile.remove(directory)
    try result.get()
}

@Suite("A backup's bytes")
struct BackupTests {
    private static let facts = BackupManifest.Facts(
        version: "1.2.3",
        createdAt: Timestamp(milliseconds: 1_767_225_600_000),
        revision: 42,
        hasKeys: true,
        damaged: [.zero]
    )

    private static func item(_ name: String, in directory: String, digest: Digest? = nil) throws -> BackupItem {
        BackupItem(path: try TarPath(name), source: "\(directory)/\(name)", digest: digest)
    }

    /// All bytes of a backup.
    private static func bytes(_ items: [BackupItem], owner: any Sendable = 0) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in BackupBytes(facts: facts, items: items, owner: owner) {
            #expect(!piece.isEmpty)
            bytes += piece
        }
        return bytes
    }

    @Test("comes back file by file, with what it says of itself; tar reads it too")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let large = String(repeating: "0123456789", count: 70_000)
            let files = ["empty": "", "block": String(repeating: "b", count: 512), "deep/er/large": large]
            try makeTree(directory, files)
            let items = try files.keys.sorted().map { try Self.item($0, in: directory) }
            let archive = "\(directory)/backup.tar"
            try DurableFile.write(try await Self.bytes(items), to: archive)
            try DurableFile.createDirectory("\(directory)/out/deep/er")

            let manifest = try BackupReading.read(archive) { (path) throws(ContentError) in "\(directory)/out/\(path)" }
            #expect(manifest.facts == Self.facts)
            #expect(manifest.entries.map(\.path.description) == files.keys.sorted())
            for (name, content) in files { #expect(try text("\(directory)/out/\(name)") == content) }
            #expect(try BackupReading.read(archive) == manifest)
            if let listed = run("tar -tf \(archive)") {
                #expect(
                    listed.output.split(separator: "\n").map(String.init) == files.keys.sorted() + [
                        "manifest.json", "manifest.sha256",
                    ]
                )
            }
        }
    }

    @Test("is refused wherever it was cut")
    func cut() async throws {
        try await withDirectory { directory in
            try makeTree(directory, ["a": "some words", "b": String(repeating: "x", count: 1500)])
            let whole = try await Self.bytes([try Self.item("a", in: directory), try Self.item("b", in: directory)])
            let archive = "\(directory)/backup.tar"
            // What lies behind the digest of the list is padding and the end's mark, of which half may go.
            for count in stride(from: 0, to: whole.count - 1536, by: 101) {
                try DurableFile.write(Array(whole.prefix(count)), to: archive)
                #expect(throws: ContentError.self, "cut at \(count)") { try BackupReading.read(archive) }
            }
        }
    }

    @Test("is refused wherever a bit was changed, or reads the same")
    func changed() async throws {
        try await withDirectory { directory in
            try makeTree(directory, ["a": "some words", "b": String(repeating: "x", count: 600)])
            let whole = try await Self.bytes([try Self.item("a", in: directory), try Self.item("b", in: directory)])
            let archive = "\(directory)/backup.tar"
            try DurableFile.write(whole, to: archive)
            let manifest = try BackupReading.read(archive)
            var refusals = 0
            for position in stride(from: 0, to: whole.count, by: 7) {
                var bytes = whole
                bytes[position] ^= UInt8(1 << (position % 8))
                let file = try #require(fopen(archive, "w"))
                fwrite(bytes, 1, bytes.count, file)
                fclose(file)
                do {
                    // Padding, and fields of a header that say nothing of the content, may change.
                    #expect(try BackupReading.read(archive) == manifest, "bit in byte \(position)")
                } catch is ContentError {
                    refusals += 1
                }
            }
            #expect(refusals > whole.count / 7 / 4)
        }
    }

    @Test("takes a file that grows as long as it was, and refuses one that is not what it must be")
    func moving() async throws {
        try await withDirectory { directory in
            try makeTree(directory, ["log": "first\n", "blob": "content"])
            var pieces = BackupBytes(facts: Self.facts, items: [try Self.item("log", in: directory)], owner: 0)
                .makeAsyncIterator()
            var bytes = try #require(try await pieces.next())
            try DurableFile.write(Array("other\n".utf8), to: "\(directory)/unrelated")
            let log = try #require(fopen("\(directory)/log", "a"))
            fputs("second\n", log)
            fclose(log)
            while let piece = try await pieces.next() { bytes += piece }
            try DurableFile.write(bytes, to: "\(directory)/backup.tar")
            #expect(try BackupReading.read("\(directory)/backup.tar").entries.map(\.size) == [6])

            let wrong = try Self.item("blob", in: directory, digest: .zero)
            await #expect(throws: ContentError.self) { _ = try await Self.bytes([wrong]) }
            let right = try Self.item("blob", in: directory, digest: .of(Array("content".utf8)))
            _ = try await Self.bytes([right])
        }
    }

    @Test("keeps its owner until it was read, and no longer")
    func owner() async throws {
        final class Owner: Sendable {}
        weak var seen: Owner?
        do {
            let owner = Owner()
            seen = owner
            var pieces = BackupBytes(facts: Self.facts, items: [], owner: owner).makeAsyncIterator()
            _ = try await pieces.next()
            #expect(seen != nil)
        }
        #expect(seen == nil)
    }

    @Test("says what is wrong with a file that is no backup")
    func foreign() async throws {
        try withDirectory { directory in
            let archive = "\(directory)/other.tar"
            try DurableFile.write(rawArchive([(file("a", size: 1), "x")]), to: archive)
            let error = #expect(throws: ContentError.self) { try BackupReading.read(archive) }
            #expect(error?.message.contains("no list of what is in it") == true)
            try DurableFile.write(Array(repeating: 0x41, count: 4096), to: archive)
            #expect(throws: ContentError.self) { try BackupReading.read(archive) }
            #expect(throws: ContentError.self) { try BackupReading.read("\(directory)/missing") }
        }
    }
}
