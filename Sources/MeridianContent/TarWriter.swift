// TarWriter: deterministic tar archives: equal trees give equal bytes.
internal import Glibc
package import MeridianModel

/// One thing to put into an archive.
package struct TarItem: Sendable {
    /// Where its content comes from.
    package enum Content: Sendable, Hashable {
        /// The file at this path on disk.
        case file(String)
        case bytes([UInt8])
        /// A symbolic link to this target, which must stay inside the archive.
        case symbolicLink(String)
        case directory
    }

    /// Where it stands in the archive.
    package let path: TarPath
    package let content: Content
    /// Files only: mode 0755 instead of 0644; nothing else of a mode is kept.
    package let isExecutable: Bool

    package init(path: TarPath, content: Content, isExecutable: Bool = false) {
        self.path = path
        self.content = content
        self.isExecutable = isExecutable
    }
}

/// A finished archive.
package struct PackedTar: Sendable, Hashable {
    /// The digest of the archive's bytes.
    package let digest: Digest
    /// The archive's bytes.
    package let size: Int
    /// Entries, directories included.
    package let entries: Int
}

/// Writes archives in POSIX ustar with pax records for long names.
package struct TarWriter: ~Copyable {
    private let output: OpenFile
    private var hash = SHA256()
    private var size = 0
    private var entries = 0

    /// Packs `items` into a new file at `path`: sorted, with the directories that they need, without owners and times.
    ///
    /// - Throws: `.refused` for two items at one path, an item below a file, or a link that leads outside.
    package static func pack(_ items: [TarItem], to path: String) throws(ContentError) -> PackedTar {
        let ordered = try complete(items)
        var writer = TarWriter(output: try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644))
        for item in ordered { try writer.add(item) }
        return try writer.finish()
    }

    private init(output: consuming OpenFile) { self.output = output }

    /// The items in order with every parent directory added, checked for contradictions.
    private static func complete(_ items: [TarItem]) throws(ContentError) -> [TarItem] {
        var byPath: [TarPath: TarItem] = [:]
        var links = LinkTable()
        for item in items {
            let old = byPath.updateValue(item, forKey: item.path)
            guard old == nil || (old?.content == .directory && item.content == .directory) else {
                throw ContentError(.refused, "\(item.path): two entries have this path")
            }
            if case .symbolicLink(let target) = item.content { links.add(item.path, target: target) }
        }
        for item in items {
            var parent = item.path.parent
            while let directory = parent {
                let there = byPath[directory]
                guard there == nil || there?.content == .directory else {
                    throw ContentError(.refused, "\(item.path): \(directory) is not a directory")
                }
                byPath[directory] = TarItem(path: directory, content: .directory)
                parent = there == nil ? directory.parent : nil
            }
        }
        try links.check()
        return byPath.values.sorted { $0.path < $1.path }
    }

    private mutating func add(_ item: TarItem) throws(ContentError) {
        let name = item.path.description
        let mode: UInt32 = item.isExecutable ? 0o755 : 0o644
        switch item.content {
        case .directory:
            try header(TarHeader(name: "\(name)/", kind: .directory, mode: 0o755, size: 0))
        case .symbolicLink(let target):
            try header(TarHeader(name: name, kind: .symbolicLink, mode: 0o777, size: 0, target: target))
        case .bytes(let bytes):
            try header(TarHeader(name: name, kind: .file, mode: mode, size: bytes.count))
            try write(bytes)
            try pad(bytes.count)
        case .file(let source):
            try copy(source, name: name, mode: mode)
        }
    }

    private mutating func copy(_ source: String, name: String, mode: UInt32) throws(ContentError) {
        let file = try OpenFile(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let status = try file.status()
        guard status.isRegularFile else { throw ContentError(.refused, "\(source) is no regular file any more") }
        let size = Int(status.st_size)
        try header(TarHeader(name: name, kind: .file, mode: mode, size: size))
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: OpenFile.chunkBytes, alignment: 16)
        defer { chunk.deallocate() }
        var rest = size
        while rest > 0 {
            let wanted = UnsafeMutableRawBufferPointer(rebasing: chunk[..<min(rest, chunk.count)])
            let count = try file.read(into: wanted)
            guard count == wanted.count else {
                throw ContentError(.unavailable, "\(source) shrank while it was packed. Try again")
            }
            try write(UnsafeRawBufferPointer(wanted))
            rest -= count
        }
        try pad(size)
    }

    private mutating func header(_ header: TarHeader) throws(ContentError) {
        var header = header
        var records = ""
        if header.name.utf8.count > TarHeader.nameBytesMax {
            records += paxRecord("path", header.name)
            header.name = shortened(header.name)
        }
        if header.target.utf8.count > TarHeader.nameBytesMax {
            records += paxRecord("linkpath", header.target)
            header.target = shortened(header.target)
        }
        if !records.isEmpty {
            let bytes = Array(records.utf8)
            try write(TarHeader(name: "pax", kind: .paxEntry, mode: 0o644, size: bytes.count).block)
            try write(bytes)
            try pad(bytes.count)
        }
        try write(header.block)
        entries += 1
    }

    private consuming func finish() throws(ContentError) -> PackedTar {
        try write([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes))
        try output.sync()
        return PackedTar(digest: hash.finish(), size: size, entries: entries)
    }

    private mutating func pad(_ size: Int) throws(ContentError) {
        try write([UInt8](repeating: 0, count: tarPadding(after: size)))
    }

    private mutating func write(_ bytes: [UInt8]) throws(ContentError) {
        try output.write(bytes)
        bytes.withUnsafeBytes { hash.update($0) }
        size += bytes.count
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ContentError) {
        try output.write(bytes)
        hash.update(bytes)
        size += bytes.count
    }
}

/// Bytes from the end of a body of `size` bytes to the next block.
func tarPadding(after size: Int) -> Int {
    (TarHeader.blockBytes - size % TarHeader.blockBytes) % TarHeader.blockBytes
}

/// `<length> key=value\n`, where the length counts its own digits (POSIX pax, "Extended Header").
private func paxRecord(_ key: String, _ value: String) -> String {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count
    // Each round can only add a digit; three are enough for any size.
    for _ in 0..<3 { length = rest.utf8.count + String(length).utf8.count }
    return "\(length)\(rest)"
}

/// A prefix that fits the ustar field, cut between characters, for readers without pax.
private func shortened(_ text: String) -> String {
    var prefix = String.UnicodeScalarView()
    var count = 0
    for scalar in text.unicodeScalars {
        count += UTF8.width(scalar)
        if count > TarHeader.nameBytesMax { break }
        prefix.append(scalar)
    }
    return String(prefix)
}
