// ELFParserTests: ELF files of this machine, made by hand, and mutated.
internal import Glibc
internal import MeridianBuilds
internal import MeridianContent
internal import Testing

@Suite("ELF files")
struct ELFParserTests {
    @Test("the test binary itself is an x86_64 program that needs the C library")
    func ownBinary() throws {
        let bytes = try DurableFile.read("/proc/self/exe", atMost: 1 << 30)
        let elf = try #require(try ELFFile.parse(ELFBytes(bytes)))
        #expect(elf.machine == .x86_64)
        #expect(elf.is64BitLittleEndian)
        #expect(elf.isExecutable)
        #expect(elf.interpreter?.hasPrefix("/lib") == true)
        #expect(elf.needed.contains("libc.so.6"))
    }

    @Test("the C library is a library, not a program", .enabled(if: cLibrary != nil))
    func library() throws {
        let path = try #require(cLibrary)
        let elf = try #require(try ELFFile.parse(ELFBytes(try DurableFile.read(path))))
        #expect(elf.kind == .dynamic)
        #expect(elf.needed.contains { $0.hasPrefix("ld-linux") })
    }

    @Test("a static program has no loader and needs nothing", .enabled(if: zygoteProgram != nil))
    func staticProgram() throws {
        let path = try #require(zygoteProgram)
        let elf = try #require(try ELFFile.parse(ELFBytes(try DurableFile.read(path, atMost: 1 << 30))))
        #expect(elf.isExecutable)
        #expect(elf.interpreter == nil)
        #expect(elf.needed.isEmpty)
    }

    @Test(
        "the machine is named for every processor",
        arguments: [
            (62, "x86_64"), (183, "aarch64 (arm64)"), (3, "i386 (32-bit x86)"), (243, "riscv"), (4711, "machine 4711"),
        ]
    )
    func machines(number: Int, name: String) throws {
        let elf = try ELFFile.parse(ELFBytes(elfHeader(machine: UInt16(number))))
        #expect(elf?.machine.description == name)
    }

    @Test("a big-endian file's machine is read in its own byte order")
    func bigEndian() throws {
        var bytes = elfHeader(machine: 0)
        bytes[5] = 2
        bytes[18...19] = [0, 22]
        let elf = try #require(try ELFFile.parse(ELFBytes(bytes)))
        #expect(elf.machine.description == "s390x")
        #expect(!elf.is64BitLittleEndian)
    }

    @Test("what does not begin with the magic is no ELF file", arguments: ["", "\u{7F}EL", "#!/bin/sh\n", "MZ"])
    func noELF(text: String) throws {
        #expect(try ELFFile.parse(ELFBytes(Array(text.utf8))) == nil)
    }

    @Test("a header that is cut off is refused at every length")
    func cutOff() {
        let whole = elfHeader(machine: 62)
        for length in 4..<whole.count {
            #expect(throws: ELFError.self) { try ELFFile.parse(ELFBytes(Array(whole[..<length]))) }
        }
    }

    @Test("tables that lie beyond the file, or are too long, are refused")
    func badTables() {
        var far = elfHeader(machine: 62)
        far[32..<40] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
        far[54] = 56
        far[56] = 1
        #expect(throws: ELFError("the program headers lie beyond the end of the file")) {
            try ELFFile.parse(ELFBytes(far))
        }
        var many = elfHeader(machine: 62)
        many[54] = 56
        many[56...57] = [0xFF, 0xFF]
        #expect(throws: ELFError.self) { try ELFFile.parse(ELFBytes(many)) }
        var odd = elfHeader(machine: 62)
        odd[54] = 57
        odd[56] = 1
        #expect(throws: ELFError("a program header has 57 bytes instead of 56")) { try ELFFile.parse(ELFBytes(odd)) }
    }

    @Test("4,000 mutations of a real program neither crash nor hang the parser")
    func mutations() throws {
        let original = try DurableFile.read("/bin/true", atMost: 1 << 24)
        var random = SplitMix(state: 0x5EED)
        var accepted = 0
        for _ in 0..<4000 {
            var bytes = original
            // The head holds the header, the program headers and the interpreter; the dynamic section lies near the end.
            for _ in 0..<(1 + random.next() % 8) {
                let inHead = random.next() % 4 != 0
                let place = Int(random.next() % UInt64(inHead ? min(1024, bytes.count) : bytes.count))
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            if let elf = try? ELFFile.parse(ELFBytes(bytes)) {
                accepted += 1
                #expect(elf.needed.count <= 1024)
            }
        }
        #expect(accepted > 200)
    }
}

/// An ELF64 header without program headers.
func elfHeader(machine: UInt16, type: UInt16 = 2) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64)
    bytes[0..<7] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]
    bytes[16...19] = [UInt8(type & 0xFF), UInt8(type >> 8), UInt8(machine & 0xFF), UInt8(machine >> 8)]
    return bytes
}

private let cLibrary: String? = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"].first { (path: String) in
    access(path, R_OK) == 0
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same mutations in every run.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
