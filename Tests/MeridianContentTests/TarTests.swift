// TarTests: archives written and read back, by us and by tar.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("An archive")
struct TarTests {
    private let long = Array(repeating: "directory-with-a-long-name", count: 8).joined(separator: "/")

    private func items() throws -> [TarItem] {
        [
            TarItem(path: try TarPath("run"), content: .bytes(Array("#!".utf8)), isExecutable: true),
            TarItem(path: try TarPath("\(long)/ü"), content: .bytes([UInt8](repeating: 1, count: 5000))),
            TarItem(path: try TarPath("lib/a"), content: .bytes([])),
            TarItem(path: try TarPath("lib/link"), content: .symbolicLink("../run")),
            TarItem(path: try TarPath("long-link"), content: .symbolicLink("\(long)/ü")),
        ]
    }

    @Test("unpacks to what was packed")
    func roundTrip() throws {
        try withDirectory { directory in
            let packed = try TarWriter.pack(try items(), to: "\(directory)/a.tar")
            mkdir("\(directory)/out", 0o755)
            let unpacked = try TarUnpacking.unpack("\(directory)/a.tar", into: "\(directory)/out", limits: .source)
            #expect(unpacked == packed)
            try expectTree("\(directory)/out")
        }
    }

    @Test("is read by tar, and tar's archives are read, in every format")
    func tarProgram() throws {
        try withDirectory { directory in
            _ = try TarWriter.pack(try items(), to: "\(directory)/a.tar")
            mkdir("\(directory)/out", 0o755)
            guard let result = run("tar -xf \(directory)/a.tar -C \(directory)/out") else {
                print("skipped: tar is not installed")
                return
            }
            #expect(result.status == 0, "\(result.output)")
            try expectTree("\(directory)/out")
            for format in ["gnu", "pax", "ustar"] {
                let made = run("tar --format=\(format) -C \(directory)/out -cf \(directory)/\(format).tar .")
                guard made?.status == 0 else { continue }
                mkdir("\(directory)/\(format)", 0o755)
                _ = try TarUnpacking.unpack(
                    "\(directory)/\(format).tar",
                    into: "\(directory)/\(format)",
                    limits: .source
                )
                try expectTree("\(directory)/\(format)")
            }
        }
    }

    private func expectTree(_ root: String) throws {
        #expect(try text("\(root)/run") == "#!")
        #expect(access("\(root)/run", X_OK) == 0)
        #expect(try DurableFile.read("\(root)/\(long)/ü").count == 5000)
        #expect(try text("\(root)/lib/link") == "#!")
        #expect(try DurableFile.read("\(root)/long-link").count == 5000)
        var status = stat()
        #expect(stat("\(root)/lib/a", &status) == 0 && status.st_size == 0 && status.st_mode & 0o777 == 0o644)
    }

    @Test("has the same bytes whatever the order of its items")
    func deterministic() throws {
        try withDirectory { directory in
            let first = try TarWriter.pack(try items(), to: "\(directory)/a.tar")
            let second = try TarWriter.pack(try items().reversed(), to: "\(directory)/b.tar")
            #expect(first == second)
            #expect(try Digest.of(file: "\(directory)/a.tar") == first.digest)
        }
    }

    @Test("is not written with contradictions")
    func contradictions() throws {
        try withDirectory { directory in
            let a = TarItem(path: try TarPath("a"), content: .bytes([1]))
            let below = TarItem(path: try TarPath("a/b"), content: .bytes([1]))
            let out = TarItem(path: try TarPath("l"), content: .symbolicLink("../x"))
            for items in [[a, a], [a, below], [below, a], [out]] {
                let error = #expect(throws: ContentError.self) {
                    try TarWriter.pack(items, to: "\(directory)/a.tar")
                }
                #expect(error?.code == .refused)
            }
        }
    }
}

@Suite("A hostile archive")
struct HostileArchiveTests {
    /// Unpacks raw bytes and answers the error.
    private func unpack(_ bytes: [UInt8], limits: ArchiveLimits = .source) throws -> ContentError? {
        var failure: ContentError?
        try withDirectory { directory in
            try makeTree(directory, ["outside/f": "untouched"])
            try DurableFile.write(bytes, to: "\(directory)/a.tar")
            mkdir("\(directory)/out", 0o755)
            do throws(ContentError) {
                _ = try TarUnpacking.unpack("\(directory)/a.tar", into: "\(directory)/out", limits: limits)
            } catch {
                failure = error
            }
            #expect(try DurableFile.names(in: directory) == ["a.tar", "out", "outside"])
            #expect(try DurableFile.names(in: "\(directory)/outside") == ["f"])
            #expect(try text("\(directory)/outside/f") == "untouched")
        }
        return failure
    }

    @Test("is refused by the name of its bad entry")
    func refusals() throws {
        let cases: [(String, [(TarHeader, String)])] = [
            ("/etc/passwd", [(file("/etc/passwd"), "")]),
            ("../outside/f", [(file("../outside/f"), "")]),
            ("a/../../f", [(file("a/../../f"), "")]),
            ("escape", [(link("escape", "../outside"), "")]),
            ("escape/f", [(link("escape", "../outside"), ""), (file("escape/f", size: 1), "x")]),
            ("absolute", [(link("absolute", "/etc"), "")]),
            ("inner/f", [(link("inner", "."), ""), (file("inner/f"), "")]),
            ("x", [(file("a/b/f"), ""), (link("d", "a/b"), ""), (link("x", "d/../../.."), "")]),
            ("y", [(link("a/b/c/d", "../../.."), ""), (link("y", "a/b/c/d/.."), "")]),
            ("loop", [(link("loop", "loop2"), ""), (link("loop2", "loop"), "")]),
            ("hard", [(link("hard", "../outside/f", kind: .hardLink), "")]),
            ("hard2", [(link("hard2", "none", kind: .hardLink), "")]),
            ("hard3", [(link("s", "."), ""), (link("hard3", "s", kind: .hardLink), "")]),
            ("setuid", [(file("setuid", mode: 0o4755), "")]),
            ("setgid", [(file("setgid", mode: 0o2755), "")]),
            ("twice", [(file("twice"), ""), (file("./twice"), "")]),
            ("f", [(file("f/g"), ""), (file("f"), "")]),
            ("g", [(file("g"), ""), (file("g/h"), "")]),
            ("new?line", [(file("new\nline"), "")]),
        ]
        for (name, entries) in cases {
            let error = try unpack(rawArchive(entries))
            #expect(error?.code == .refused, "\(name)")
            #expect(error?.message.contains(name) == true, "\(name): \(error?.message ?? "no error")")
        }
    }

    @Test("with device nodes, pipes or sparse files is refused", arguments: ["3", "4", "6", "S", "Q"])
    func kinds(flag: String) throws {
        var bytes = rawArchive([(file("node"), "")])
        bytes[156] = Array(flag.utf8)[0]
        bytes.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        bytes.replaceSubrange(
            148..<156,
            with: Array((String(repeating: "0", count: 6 - digits.count) + digits + "\0 ").utf8)
        )
        let error = try unpack(bytes)
        #expect(error?.code == .refused)
        #expect(error?.message.contains("node") == true)
    }

    @Test("is refused above the bounds on entries and bytes, by name")
    func bounds() throws {
        let three = rawArchive([(file("a"), ""), (file("b"), ""), (file("c", size: 3), "xyz")])
        #expect(try unpack(three, limits: ArchiveLimits(bytesMax: 3, entriesMax: 3)) == nil)
        let entries = try unpack(three, limits: ArchiveLimits(bytesMax: 3, entriesMax: 2))
        #expect(entries?.message.contains("c") == true)
        let bytes = try unpack(three, limits: ArchiveLimits(bytesMax: 2, entriesMax: 3))
        #expect(bytes?.message.contains("c") == true)
        let lie = try unpack(rawArchive([(file("huge", size: 1 << 32), "")]))
        #expect(lie?.message.contains("huge") == true)
        let deep = Array(repeating: "d", count: TarPath.depthMax + 1).joined(separator: "/")
        var header = file("short")
        header.name = deep.count > 100 ? String(deep.prefix(99)) : deep
        #expect(throws: ContentError.self) { try TarPath(deep) }
        #expect(throws: ContentError.self) { try TarPath(String(repeating: "n", count: 256)) }
    }

    @Test("that is cut anywhere, or changed in any header byte, gives an error or the same tree, never a crash")
    func mutations() throws {
        let whole = rawArchive([(file("a/b", size: 600), String(repeating: "x", count: 600)), (link("l", "a/b"), "")])
        for cut in stride(from: 0, to: whole.count - 1024, by: 100) {
            #expect(try unpack(Array(whole[..<cut]))?.code == .corrupted)
        }
        for index in stride(from: 0, to: 512, by: 7) {
            var changed = whole
            changed[index] ^= 0x41
            #expect(try unpack(changed)?.code == .corrupted)
        }
    }
}
