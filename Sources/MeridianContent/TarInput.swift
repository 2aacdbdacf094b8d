// TarInput: the buffered, digested, bounded byte source below TarReader.
internal import MeridianModel

/// Bytes of an archive file in order; counts and digests all that it hands out.
struct TarInput: ~Copyable {
    private let file: OpenFile
    private let bytesMax: Int
    private var hash = SHA256()
    private var buffer = [UInt8](repeating: 0, count: OpenFile.chunkBytes)
    private var position = 0
    private var end = 0
    private var total = 0

    init(file: consuming OpenFile, bytesMax: Int) {
        self.file = file
        self.bytesMax = bytesMax
    }

    /// The next 512 bytes.
    mutating func block() throws(ContentError) -> [UInt8] { try bytes(TarHeader.blockBytes) }

    /// The next `count` bytes, which the caller has bounded.
    mutating func bytes(_ count: Int) throws(ContentError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            _ = try read(atMost: count - bytes.count) { (piece) throws(ContentError) in bytes.append(contentsOf: piece)
            }
        }
        return bytes
    }

    /// Hands at least one and at most `count` bytes to `consume`; the answer is how many.
    mutating func read(
        atMost count: Int,
        _ consume: (UnsafeRawBufferPointer) throws(ContentError) -> Void
    ) throws(ContentError) -> Int {
        if position == end { try refill() }
        guard position < end else {
            throw ContentError(.corrupted, "the archive ends in the middle; it was cut. Pack or transfer it again")
        }
        let piece = position..<min(end, position + count)
        try buffer.withUnsafeBufferPointer { (bytes) throws(ContentError) in
            try consume(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[piece])))
        }
        position = piece.upperBound
        return piece.count
    }

    /// Reads to the end of the file.
    mutating func drain() throws(ContentError) {
        repeat {
            position = end
            try refill()
        } while position < end
    }

    /// The digest and number of all bytes.
    consuming func finish() -> (Digest, Int) {
        let total = total
        return (hash.finish(), total)
    }

    private mutating func refill() throws(ContentError) {
        let (descriptor, path) = (file.descriptor, file.path)
        let count = try buffer.withUnsafeMutableBufferPointer { (bytes) throws(ContentError) in
            try readFully(descriptor, path: path, into: UnsafeMutableRawBufferPointer(bytes))
        }
        total += count
        guard total <= bytesMax else {
            throw ContentError(.refused, "the archive is longer than \(bytesMax) bytes")
        }
        buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        position = 0
        end = count
    }
}
