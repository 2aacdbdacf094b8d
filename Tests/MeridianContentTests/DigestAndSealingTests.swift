// DigestAndSealingTests: SHA-256, Base64, sealed secrets and durable files.
import Glibc
import MeridianModel
import Testing

@testable import MeridianContent

@Suite("A digest")
struct DigestTests {
    @Test("is that of FIPS 180-4")
    func vectors() {
        #expect(Digest.of([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.of(Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(Digest.of(million).hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("of a file is that of its bytes")
    func files() throws {
        try withDirectory { directory in
            let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 * 31) }
            try DurableFile.write(bytes, to: "\(directory)/f")
            #expect(try Digest.of(file: "\(directory)/f") == Digest.of(bytes))
            #expect(throws: ContentError.self) { try Digest.of(file: "\(directory)/none") }
        }
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test("writes the vectors of RFC 4648 and reads them back")
    func vectors() {
        let pairs = [
            "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
            "foobar": "Zm9vYmFy",
        ]
        for (plain, coded) in pairs {
            #expect(Base64.text(of: Array(plain.utf8)) == coded)
            #expect(Base64.bytes(of: coded) == Array(plain.utf8))
        }
    }

    @Test(
        "refuses all but the canonical text",
        arguments: ["Zg=", "Zg", "Zh==", "Z===", "Zm9v\n", " Zm9v", "Zm9!", "====", "Zg==Zg=="]
    )
    func strict(text: String) {
        #expect(Base64.bytes(of: text) == nil)
    }
}

@Suite("Sealing")
struct SealingTests {
    @Test("opens what it sealed, for the same owner only")
    func roundTrip() throws {
        try withDirectory { directory in
            let sealing = try Sealing(keyFile: "\(directory)/key")
            for plain in [[], Array("hunter2".utf8), [UInt8](repeating: 7, count: 100_000)] as [[UInt8]] {
                let sealed = try sealing.seal(plain, for: "Secret/default/db")
                #expect(sealed.hasPrefix("sealed:v1:"))
                #expect(try sealing.open(sealed, for: "Secret/default/db") == plain)
                #expect(throws: ContentError.self) { try sealing.open(sealed, for: "Secret/default/other") }
            }
            #expect(try sealing.seal([1], for: "x") != sealing.seal([1], for: "x"))
        }
    }

    @Test("notices any changed bit")
    func tampering() throws {
        try withDirectory { directory in
            let sealing = try Sealing(keyFile: "\(directory)/key")
            let sealed = try sealing.seal(Array("hunter2".utf8), for: "s")
            let bytes = try #require(Base64.bytes(of: String(sealed.dropFirst("sealed:v1:".count))))
            for index in bytes.indices {
                var changed = bytes
                changed[index] ^= 1
                #expect(throws: ContentError.self) {
                    try sealing.open("sealed:v1:" + Base64.text(of: changed), for: "s")
                }
            }
            for text in ["", "sealed:v1:", "sealed:v2:" + sealed.dropFirst(10), String(sealed.dropLast(4))] {
                #expect(throws: ContentError.self) { try sealing.open(text, for: "s") }
            }
        }
    }

    @Test("keeps one key, readable by its owner alone")
    func keyFile() throws {
        try withDirectory { directory in
            let path = "\(directory)/key"
            let sealed = try Sealing(keyFile: path).seal([1, 2], for: "s")
            #expect(try Sealing(keyFile: path).open(sealed, for: "s") == [1, 2])
            var status = stat()
            #expect(lstat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(status.st_size == 32)
            chmod(path, 0o644)
            #expect(throws: ContentError.self) { try Sealing(keyFile: path) }
            chmod(path, 0o600)
            truncate(path, 31)
            #expect(throws: ContentError.self) { try Sealing(keyFile: path) }
        }
    }
}

@Suite("A durable file")
struct DurableFileTests {
    @Test("what a killed writer left beside a file goes, and nothing else")
    func unfinished() throws {
        try withDirectory { directory in
            let path = "\(directory)/assignment.json"
            for name in ["assignment.json", "assignment.json.12-3.tmp", "other.json.12-3.tmp"] {
                try DurableFile.write([1], to: "\(directory)/\(name)")
            }
            try DurableFile.removeUnfinished(of: path)
            #expect(try DurableFile.names(in: directory) == ["assignment.json", "other.json.12-3.tmp"])
        }
    }

    @Test("is replaced as a whole, with its mode, and leaves no temporary file")
    func replacing() throws {
        try withDirectory { directory in
            let path = "\(directory)/f"
            try DurableFile.write([1], to: path, mode: 0o600)
            try DurableFile.write([2, 3], to: path, mode: 0o640)
            #expect(try DurableFile.read(path) == [2, 3])
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o640)
            #expect(try DurableFile.names(in: directory) == ["f"])
        }
    }

    @Test("keeps its old content where writing the new fails")
    func failing() throws {
        try withDirectory { directory in
            let path = "\(directory)/f"
            try DurableFile.write([1], to: path)
            #expect(throws: ContentError.self) {
                try DurableFile.replace(path) { (file) throws(ContentError) in
                    try file.write([9, 9])
                    throw ContentError(.unavailable, "the disk failed")
                }
            }
            #expect(try DurableFile.read(path) == [1])
            #expect(try DurableFile.names(in: directory) == ["f"])
        }
    }

    @Test("is created once")
    func creating() throws {
        try withDirectory { directory in
            let first = try DurableFile.createIfAbsent([1], at: "\(directory)/f", mode: 0o600)
            let second = try DurableFile.createIfAbsent([2], at: "\(directory)/f", mode: 0o600)
            #expect(first && !second)
            #expect(try DurableFile.read("\(directory)/f") == [1])
        }
    }

    @Test("is refused above the bound and where it is no file")
    func bounds() throws {
        try withDirectory { directory in
            try DurableFile.write([1, 2, 3], to: "\(directory)/f")
            #expect(throws: ContentError.self) { try DurableFile.read("\(directory)/f", atMost: 2) }
            #expect(throws: ContentError.self) { try DurableFile.read(directory) }
            let error = #expect(throws: ContentError.self) { try DurableFile.read("\(directory)/none") }
            #expect(error?.code == .notFound)
        }
    }

    @Test("tree is deleted without following its links")
    func removal() throws {
        try withDirectory { directory in
            try makeTree(
                directory,
                ["kept/f": "x", "tree/a/b/c": "x", "tree/out": "-> ../kept", "tree/dangling": "-> none"]
            )
            chmod("\(directory)/tree/a", 0)
            try DurableFile.remove("\(directory)/tree")
            #expect(try DurableFile.names(in: directory) == ["kept"])
            #expect(try DurableFile.names(in: "\(directory)/kept") == ["f"])
            try DurableFile.remove("\(directory)/none")
        }
    }
}
