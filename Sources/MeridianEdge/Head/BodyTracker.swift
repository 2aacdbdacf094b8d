// BodyTracker: follows a body through its bytes, so that its end is known and its chunks are checked.
internal import Glibc

/// How far a body has come.
///
/// One tracker serves both directions.
struct BodyTracker {
    private enum Phase: UInt8 {
        case done, failed, length, untilClose
        /// Chunked (RFC 9112 §7.1): `size [;extension] CR LF data CR LF … 0 CR LF *(trailer CR LF) CR LF`.
        case sizeFirst, size, extensions, sizeFeed, data, dataReturn, dataFeed
        case trailerStart, trailerName, trailerValue, trailerFeed, endFeed
    }

    /// 15 hexadecimal digits fit into 60 bits.
    static let sizeDigitsMax = 15
    /// Chunk extensions and trailers of one body: nobody needs more, and unbounded ones cost time for no data.
    static let overheadBytesMax: Int32 = 16 * 1024

    private var phase = Phase.done
    private var digits: UInt8 = 0
    private var overhead: Int32 = 0
    /// Bytes left of the body or of the current chunk.
    private var remaining: UInt64 = 0
    /// Bytes of the body so far, without the framing of chunks; not counted where the connection's end ends it.
    private(set) var dataCount: Int64 = 0

    init() {}

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: phase = .done
        case .length(let length):
            phase = length == 0 ? .done : .length
            remaining = length
        case .chunked: phase = .sizeFirst
        case .untilClose: phase = .untilClose
        }
    }

    var isDone: Bool { phase == .done }
    var hasFailed: Bool { phase == .failed }
    var endsWithConnection: Bool { phase == .untilClose }

    /// Chunked: the last chunk has been seen, and what follows are trailers.
    var isInTrailers: Bool {
        switch phase {
        case .trailerStart, .trailerName, .trailerValue, .trailerFeed, .endFeed: true
        default: false
        }
    }

    /// The end of the connection was the body's end.
    mutating func finish() { phase = .done }

    /// Takes what belongs to the body from `bytes`; gives how many bytes that were, all unless the body ended or
    /// failed.
    mutating func consume(_ bytes: Bytes, _ count: Int) -> Int {
        switch phase {
        case .done, .failed: return 0
        case .untilClose: return count
        case .length: return takeRun(count, then: .done)
        default:
            var offset = 0
            while offset < count, phase != .done, phase != .failed {
                if phase == .data {
                    offset += takeRun(count - offset, then: .dataReturn)
                } else {
                    step(bytes[offset])
                    offset += 1
                }
            }
            return offset
        }
    }

    /// Like `consume`, but moves the chunks' data together at the start of `bytes`; gives the number of data bytes.
    ///
    /// With `keepingTrailers` it stops before them.
    mutating func decode(
        _ bytes: Bytes,
        _ count: Int,
        keepingTrailers: Bool = false
    ) -> (consumed: Int, produced: Int) {
        guard phase != .length, phase != .untilClose else {
            let taken = consume(bytes, count)
            return (taken, taken)
        }
        var offset = 0
        var produced = 0
        while offset < count, phase != .done, phase != .failed {
            if keepingTrailers, isInTrailers { break }
            if phase == .data {
                let run = takeRun(count - offset, then: .dataReturn)
                if produced != offset { memmove(bytes + produced, bytes + offset, run) }
                produced += run
                offset += run
            } else {
                step(bytes[offset])
                offset += 1
            }
        }
        return (offset, produced)
    }

    private mutating func takeRun(_ count: Int, then next: Phase) -> Int {
        let run = min(UInt64(count), remaining)
        remaining -= run
        dataCount += Int64(run)
        if remaining == 0 { phase = next }
        return Int(run)
    }

    /// One byte of the chunked framing outside chunk data.
    private mutating func step(_ byte: UInt8) {
        switch phase {
        case .sizeFirst:
            remaining = 0
            digits = 0
            takeDigit(byte)
        case .size:
            if byte == .carriageReturn {
                phase = .sizeFeed
            } else if byte == 0x3B {
                phase = .extensions
            } else {
                takeDigit(byte)
            }
        case .extensions:
            if byte == .carriageReturn {
                phase = .sizeFeed
            } else {
                takeOverhead(byte, stayIn: .extensions)
            }
        case .sizeFeed: expect(byte, .lineFeed, then: remaining == 0 ? .trailerStart : .data)
        case .dataReturn: expect(byte, .carriageReturn, then: .dataFeed)
        case .dataFeed: expect(byte, .lineFeed, then: .sizeFirst)
        default: stepTrailer(byte)
        }
    }

    private mutating func stepTrailer(_ byte: UInt8) {
        switch phase {
        case .trailerStart:
            if byte == .carriageReturn {
                phase = .endFeed
            } else {
                takeName(byte)
            }
        case .trailerName:
            if byte == .colon {
                phase = .trailerValue
            } else {
                takeName(byte)
            }
        case .trailerValue:
            if byte == .carriageReturn {
                phase = .trailerFeed
            } else {
                takeOverhead(byte, stayIn: .trailerValue)
            }
        case .trailerFeed: expect(byte, .lineFeed, then: .trailerStart)
        case .endFeed: expect(byte, .lineFeed, then: .done)
        default: phase = .failed
        }
    }

    private mutating func takeDigit(_ byte: UInt8) {
        guard let value = byte.hexadecimalValue, digits < Self.sizeDigitsMax else {
            phase = .failed
            return
        }
        remaining = remaining << 4 | UInt64(value)
        digits += 1
        phase = .size
    }

    private mutating func takeName(_ byte: UInt8) {
        if byte.isToken { takeOverhead(byte, stayIn: .trailerName) } else { phase = .failed }
    }

    private mutating func takeOverhead(_ byte: UInt8, stayIn next: Phase) {
        overhead += 1
        phase = overhead > Self.overheadBytesMax || byte.isForbiddenInValue ? .failed : next
    }

    private mutating func expect(_ byte: UInt8, _ expected: UInt8, then next: Phase) {
        phase = byte == expected ? next : .failed
    }
}
