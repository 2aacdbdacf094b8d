// TarHeader: the 512-byte blocks of the ustar format, written and read.

/// One ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
struct TarHeader {
    /// The kinds that are written or understood.
    enum Kind: UInt8 {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case directory = 0x35
        case paxEntry = 0x78
        case paxGlobal = 0x67
        case gnuLongName = 0x4C
        case gnuLongTarget = 0x4B
    }

    static let blockBytes = 512
    static let nameBytesMax = 100
    /// What 11 octal digits can tell is less than this.
    static let sizeMax = 1 << 33

    var name: String
    var kind: Kind
    var mode: UInt32
    var size: Int
    var target: String

    /// The block: owner 0, time 0, no names of users, so that equal content gives equal bytes.
    ///
    /// Name and target must fit 100 bytes, the size 11 octal digits (8 GiB).
    var block: [UInt8] {
        precondition(name.utf8.count <= Self.nameBytesMax && target.utf8.count <= Self.nameBytesMax)
        precondition(size >= 0 && size < Self.sizeMax, "11 octal digits hold 33 bits")
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        func put(_ text: String, at offset: Int) {
            block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
        }
        put(name, at: 0)
        put(octal(Int(mode), digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put("        ", at: 148)
        block[156] = kind.rawValue
        put(target, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(0, digits: 7), at: 329)
        put(octal(0, digits: 7), at: 337)
        put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + "\u{0} ", at: 148)
        return block
    }

    init(name: String, kind: Kind, mode: UInt32, size: Int, target: String = "") {
        self.name = name
        self.kind = kind
        self.mode = mode
        self.size = size
        self.target = target
    }

    /// Reads a block.
    ///
    /// - Throws: `.corrupted` for a wrong checksum or number, `.refused` for kinds that are never unpacked.
    init(block: [UInt8]) throws(ContentError) {
        let offset = 148
        var sum = block.reduce(0) { $0 + Int($1) }
        for index in offset..<(offset + 8) { sum += 0x20 - Int(block[index]) }
        guard number(block[offset..<(offset + 8)]) == sum else {
            throw ContentError(.corrupted, "the archive is damaged: a header's checksum is wrong")
        }
        let prefix = try text(block[345..<500])
        let last = try text(block[0..<100])
        let isPOSIX = block[257..<263].elementsEqual("ustar\u{0}".utf8)
        name = isPOSIX && !prefix.isEmpty ? "\(prefix)/\(last)" : last
        target = try text(block[157..<257])
        guard let size = number(block[124..<136]), let mode = number(block[100..<108]) else {
            throw ContentError(.corrupted, "\(shown(name)): the header has a number that is not octal")
        }
        self.size = size
        self.mode = UInt32(truncatingIfNeeded: mode)
        kind = try Self.kind(block[156], name: name)
    }

    private static func kind(_ flag: UInt8, name: String) throws(ContentError) -> Kind {
        // A zero byte is how tar before POSIX wrote a file; 7 is a file that wanted contiguous space.
        if flag == 0 || flag == 0x37 { return name.hasSuffix("/") ? .directory : .file }
        if let kind = Kind(rawValue: flag) { return kind }
        let word =
            switch flag {
            case 0x33, 0x34: "a device node"
            case 0x36: "a named pipe"
            case 0x53: "a sparse file"
            default: "an entry of unknown kind \(flag)"
            }
        throw ContentError(.refused, "\(shown(name)): \(word) is never unpacked; leave it out of the archive")
    }
}

/// `value` in octal with leading zeros.
private func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

/// An octal number between blanks and zero bytes; nil for anything else (base-256 numbers too: nothing here is that large).
private func number(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    guard digits.count <= 12, digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
}

/// The text before the first zero byte.
private func text(_ field: ArraySlice<UInt8>) throws(ContentError) -> String {
    let bytes = field.prefix { $0 != 0 }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ContentError(.refused, "\(shown(String(decoding: bytes, as: UTF8.self))): the name is not UTF-8")
    }
    return text
}
