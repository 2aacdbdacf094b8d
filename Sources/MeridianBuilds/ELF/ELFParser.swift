// ELFParser: reads ELFFile from hostile bytes: every offset is checked, every table is bounded.

extension ELFFile {
    /// The length of an ELF64 header.
    package static let headerLength = 64

    /// Whether the bytes begin with `\u{7F}ELF`.
    package static func hasMagic(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) }

    /// Parses an ELF file; nil where the bytes do not begin with the ELF magic.
    ///
    /// - Throws: where the file begins as ELF but contradicts itself or passes a bound.
    package static func parse(_ bytes: ELFBytes) throws(ELFError) -> ELFFile? {
        guard let magic = bytes.read(0, 4), hasMagic(magic) else { return nil }
        guard let identity = bytes.read(0, 20) else { throw ELFError("the ELF header is cut off") }
        let isLittleEndian = identity[5] == 1
        let file = ELFFile(
            machine: ELFMachine(number: half(identity, at: 18, isLittleEndian)),
            kind: Kind(type: half(identity, at: 16, isLittleEndian)),
            is64BitLittleEndian: identity[4] == 2 && isLittleEndian
        )
        guard file.is64BitLittleEndian else { return file }
        var parser = ELFParser(bytes: bytes, file: file)
        try parser.run()
        return parser.file
    }

    private static func half(_ bytes: [UInt8], at offset: Int, _ isLittleEndian: Bool) -> UInt16 {
        let (first, second) = (UInt16(bytes[offset]), UInt16(bytes[offset + 1]))
        return isLittleEndian ? first | second << 8 : first << 8 | second
    }
}

extension ELFFile.Kind {
    fileprivate init(type: UInt16) {
        switch type {
        case 1: self = .relocatable
        case 2: self = .fixedExecutable
        case 3: self = .dynamic
        default: self = .other(type)
        }
    }
}

/// The pass over the program headers and the dynamic section of a 64-bit little-endian file.
private struct ELFParser {
    /// Linkers write about a dozen; Linux refuses to execute files whose table is larger than 64 KiB.
    static let programHeaderCountMax = 1170
    /// The longest path that Linux accepts (PATH_MAX).
    static let stringLengthMax = 4096
    /// A large program has some hundred dynamic entries.
    static let dynamicEntryCountMax = 16_384
    /// More libraries than any program loads; keeps the collection of libraries finite.
    static let neededCountMax = 1024

    struct Segment {
        let type: UInt32
        let offset: UInt64
        let address: UInt64
        let fileSize: UInt64
    }

    let bytes: ELFBytes
    var file: ELFFile

    mutating func run() throws(ELFError) {
        let segments = try readSegments()
        if let interpreter = segments.first(where: { $0.type == 3 }) {
            file.interpreter = try string(at: interpreter.offset, atMost: interpreter.fileSize)
        }
        if let dynamic = segments.first(where: { $0.type == 2 }) {
            try readDynamic(dynamic, loads: segments.filter { $0.type == 1 })
        }
    }

    private func readSegments() throws(ELFError) -> [Segment] {
        guard let header = bytes.read(0, ELFFile.headerLength) else { throw ELFError("the ELF header is cut off") }
        let table = word(header, at: 32)
        let entrySize = Int(header[54]) | Int(header[55]) << 8
        let count = Int(header[56]) | Int(header[57]) << 8
        guard count > 0 else { return [] }
        guard entrySize == 56 else { throw ELFError("a program header has \(entrySize) bytes instead of 56") }
        guard count <= Self.programHeaderCountMax else {
            throw ELFError("it has \(count) program headers; at most \(Self.programHeaderCountMax) are read")
        }
        guard let entries = bytes.read(table, count * entrySize) else {
            throw ELFError("the program headers lie beyond the end of the file")
        }
        return (0..<count).map { index in
            let start = index * entrySize
            return Segment(
                type: UInt32(truncatingIfNeeded: word(entries, at: start)),
                offset: word(entries, at: start + 8),
                address: word(entries, at: start + 16),
                fileSize: word(entries, at: start + 32)
            )
        }
    }

    private mutating func readDynamic(_ dynamic: Segment, loads: [Segment]) throws(ELFError) {
        let count = dynamic.fileSize / 16
        guard count <= UInt64(Self.dynamicEntryCountMax) else {
            throw ELFError("its dynamic section has \(count) entries; at most \(Self.dynamicEntryCountMax) are read")
        }
        guard let entries = bytes.read(dynamic.offset, Int(count) * 16) else {
            throw ELFError("the dynamic section lies beyond the end of the file")
        }
        var needed: [UInt64] = []
        var paths: [UInt64] = []
        var strings: UInt64?
        scan: for index in 0..<Int(count) {
            let value = word(entries, at: index * 16 + 8)
            switch word(entries, at: index * 16) {
            case 0: break scan
            case 1: needed.append(value)
            case 5: strings = value
            case 15, 29: paths.append(value)
            case 0x6FFF_FFFB: file.isMarkedExecutable = value & 0x0800_0000 != 0
            default: break
            }
        }
        guard !needed.isEmpty || !paths.isEmpty else { return }
        guard needed.count <= Self.neededCountMax else {
            throw ELFError("it needs \(needed.count) libraries; at most \(Self.neededCountMax) are followed")
        }
        guard let strings, let table = offset(of: strings, in: loads) else {
            throw ELFError("its dynamic string table is in no loaded segment")
        }
        for offset in needed { file.needed.append(try string(at: table, plus: offset)) }
        for offset in paths {
            file.searchPaths += try string(at: table, plus: offset).split(separator: ":").map(String.init)
        }
    }

    /// The file offset of a virtual address (ABI: addresses in the dynamic section are virtual).
    private func offset(of address: UInt64, in loads: [Segment]) -> UInt64? {
        for load in loads where address >= load.address && address - load.address < load.fileSize {
            let (offset, overflow) = load.offset.addingReportingOverflow(address - load.address)
            return overflow ? nil : offset
        }
        return nil
    }

    private func string(at table: UInt64, plus offset: UInt64) throws(ELFError) -> String {
        let (start, overflow) = table.addingReportingOverflow(offset)
        guard !overflow else { throw ELFError("a string lies beyond the end of the file") }
        return try string(at: start, atMost: UInt64(Self.stringLengthMax))
    }

    /// The NUL-terminated string at `offset`.
    private func string(at offset: UInt64, atMost length: UInt64) throws(ELFError) -> String {
        guard offset < bytes.count else { throw ELFError("a string lies beyond the end of the file") }
        let available = min(length, UInt64(Self.stringLengthMax), bytes.count - offset)
        guard let raw = bytes.read(offset, Int(available)), let end = raw.firstIndex(of: 0) else {
            throw ELFError("a string has no end within \(Self.stringLengthMax) bytes")
        }
        return String(decoding: raw[..<end], as: UTF8.self)
    }

    private func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
        (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
}
