// TarReader: archives from anyone, read in one pass with every bound and refusal in one place.
internal import Glibc

/// How much an archive may hold.
package struct ArchiveLimits: Sendable, Hashable {
    /// The sum of all file contents.
    package var bytesMax: Int
    /// Files, directories and links together.
    package var entriesMax: Int

    package init(bytesMax: Int, entriesMax: Int) {
        self.bytesMax = bytesMax
        self.entriesMax = entriesMax
    }

    /// An app's source: the 100 MB of the upload limit, and as many entries as a large project without its dependencies.
    package static let source = ArchiveLimits(bytesMax: 100 << 20, entriesMax: 50_000)
    /// A bundle: an executable, its libraries and assets.
    package static let bundle = ArchiveLimits(bytesMax: 1 << 30, entriesMax: 50_000)

    /// The longest archive that can keep to the limits: contents, and for each entry headers, long names and padding.
    var archiveBytesMax: Int { bytesMax + entriesMax * 8192 + 65_536 }
}

/// One entry of an archive.
package struct TarEntry: Sendable, Hashable {
    /// What an entry is; other kinds are refused.
    package enum Kind: Sendable, Hashable {
        /// A regular file of `size` bytes; of its mode only the executable bit is kept.
        case file(size: Int, isExecutable: Bool)
        case directory
        /// Where the link leads has not been checked yet.
        case symbolicLink(target: String)
        /// Another name of a file that came earlier.
        case hardLink(to: TarPath)
    }

    package let path: TarPath
    package let kind: Kind
}

/// Reads ustar, pax and GNU long names from an open file, and digests every byte on the way.
///
/// Refuses absolute and upward paths, duplicates, device nodes, pipes, sparse files, set-user-id bits and excess;
/// each refusal names the path.
package struct TarReader: ~Copyable {
    private let limits: ArchiveLimits
    private var input: TarInput
    private var seen: Set<TarPath> = []
    private var contentBytes = 0
    /// Bytes of the current file that were not read yet, without padding.
    private var bodyBytes = 0
    private var padding = 0

    /// Pax records and GNU names that come before an entry: two long paths and some times.
    private static let extensionBytesMax = 65_536
    /// Extension headers in a row before an entry; writers use at most three.
    private static let extensionsMax = 8

    /// Reads from the current position of `file`.
    package init(_ file: consuming OpenFile, limits: ArchiveLimits) {
        self.limits = limits
        input = TarInput(file: file, bytesMax: limits.archiveBytesMax)
    }

    /// The next entry, skipping what is left of the current one; nil at the archive's end.
    package mutating func next() throws(ContentError) -> TarEntry? {
        try skipBody()
        var names = LongNames()
        for _ in 0..<Self.extensionsMax {
            let block = try input.block()
            if block.allSatisfy({ $0 == 0 }) { return nil }
            var header = try TarHeader(block: block)
            switch header.kind {
            case .paxEntry: try names.read(pax: try extensionBody(header))
            case .paxGlobal: _ = try extensionBody(header)
            case .gnuLongName: names.path = try gnuName(header)
            case .gnuLongTarget: names.target = try gnuName(header)
            case .file, .directory, .symbolicLink, .hardLink:
                names.apply(to: &header)
                if header.kind == .directory, TarPath.isRoot(header.name) {
                    names = LongNames()
                    continue
                }
                return try entry(header)
            }
        }
        throw ContentError(.refused, "the archive has more than \(Self.extensionsMax) extension headers in a row")
    }

    /// Hands the content of the current file to `consume` in pieces.
    package mutating func readBody(
        _ consume: (UnsafeRawBufferPointer) throws(ContentError) -> Void
    ) throws(ContentError) {
        while bodyBytes > 0 {
            let count = try input.read(atMost: bodyBytes, consume)
            bodyBytes -= count
        }
    }

    /// Reads what is left behind the last entry; the answer is the digest of the whole archive.
    package consuming func finish() throws(ContentError) -> PackedTar {
        try skipBody()
        try input.drain()
        let (digest, size) = input.finish()
        return PackedTar(digest: digest, size: size, entries: seen.count)
    }

    private mutating func entry(_ header: TarHeader) throws(ContentError) -> TarEntry {
        let path = try TarPath(header.name)
        guard header.mode & 0o6000 == 0 else {
            throw ContentError(.refused, "\(path): a set-user-id or set-group-id bit is never unpacked; remove it")
        }
        guard seen.insert(path).inserted else { throw ContentError(.refused, "\(path): two entries have this path") }
        guard seen.count <= limits.entriesMax else {
            throw ContentError(.refused, "\(path): the archive has more than \(limits.entriesMax) entries")
        }
        return TarEntry(path: path, kind: try kind(header, path: path))
    }

    private mutating func kind(_ header: TarHeader, path: TarPath) throws(ContentError) -> TarEntry.Kind {
        switch header.kind {
        case .file:
            contentBytes += header.size
            guard contentBytes <= limits.bytesMax else {
                throw ContentError(.refused, "\(path): the archive unpacks to more than \(limits.bytesMax) bytes")
            }
            bodyBytes = header.size
            padding = tarPadding(after: header.size)
            return .file(size: header.size, isExecutable: header.mode & 0o111 != 0)
        case .symbolicLink:
            guard !header.target.isEmpty, header.target.utf8.count <= LinkTable.targetBytesMax else {
                throw ContentError(.refused, "\(path): the symbolic link's target is empty or too long")
            }
            return .symbolicLink(target: header.target)
        case .hardLink:
            do throws(ContentError) {
                return .hardLink(to: try TarPath(header.target))
            } catch {
                throw ContentError(error.code, "\(path): a hard link to \(error.message)")
            }
        case .directory, .paxEntry, .paxGlobal, .gnuLongName, .gnuLongTarget:
            return .directory
        }
    }

    private mutating func skipBody() throws(ContentError) {
        try readBody { (_) throws(ContentError) in }
        if padding > 0 { _ = try input.bytes(padding) }
        padding = 0
    }

    private mutating func extensionBody(_ header: TarHeader) throws(ContentError) -> [UInt8] {
        guard header.size <= Self.extensionBytesMax else {
            throw ContentError(.refused, "an extension header of \(header.size) bytes is too large")
        }
        let body = try input.bytes(header.size)
        _ = try input.bytes(tarPadding(after: header.size))
        return body
    }

    private mutating func gnuName(_ header: TarHeader) throws(ContentError) -> String {
        let body = try extensionBody(header)
        guard let text = String(validating: body.prefix { $0 != 0 }, as: UTF8.self) else {
            throw ContentError(.refused, "\(shown(String(decoding: body, as: UTF8.self))): the name is not UTF-8")
        }
        return text
    }
}

/// What extension headers said about the entry that follows them.
private struct LongNames {
    var path: String?
    var target: String?
    var size: Int?

    /// Reads `<length> key=value\n` records; keys that change nothing here are passed over.
    mutating func read(pax body: [UInt8]) throws(ContentError) {
        var rest = body[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard digits.count <= 6, let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 2, length <= rest.count, rest[rest.startIndex + length - 1] == 0x0A,
                let record = String(validating: rest.prefix(length - 1).dropFirst(digits.count + 1), as: UTF8.self),
                let equals = record.firstIndex(of: "=")
            else { throw ContentError(.corrupted, "the archive is damaged: a pax record is malformed") }
            rest = rest.dropFirst(length)
            try set(String(record[..<equals]), String(record[record.index(after: equals)...]))
        }
    }

    func apply(to header: inout TarHeader) {
        header.name = path ?? header.name
        header.target = target ?? header.target
        header.size = header.kind == .file ? size ?? header.size : 0
    }

    private mutating func set(_ key: String, _ value: String) throws(ContentError) {
        switch key {
        case "path": path = value
        case "linkpath": target = value
        case "size":
            guard value.utf8.count <= 15, let number = Int(value), number >= 0 else {
                throw ContentError(.corrupted, "the archive is damaged: a pax size is no number")
            }
            size = number
        default:
            guard !key.hasPrefix("GNU.sparse.") else {
                throw ContentError(.refused, "\(shown(path ?? "an entry")): a sparse file is never unpacked")
            }
        }
    }
}
