// HeadWriter: appends the parts of a head to a buffer without allocation.
internal import Glibc

/// Writes at the end of a lent buffer.
///
/// What does not fit sets `hasOverflowed` and is left out.
struct HeadWriter {
    private let memory: Bytes
    private(set) var end: Int
    private(set) var hasOverflowed = false

    init(_ buffer: Buffer) {
        memory = buffer.memory
        end = Int(buffer.end)
    }

    mutating func write(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        guard count <= Buffer.capacity - end else {
            hasOverflowed = true
            return
        }
        memcpy(memory + end, bytes, count)
        end += count
    }

    mutating func write(_ text: StaticString) { write(text.utf8Start, text.utf8CodeUnitCount) }

    mutating func write(_ bytes: UnsafeBufferPointer<UInt8>) {
        if let base = bytes.baseAddress { write(base, bytes.count) }
    }

    /// Not named `write`: a literal would be a String, which is slower by far than a StaticString.
    mutating func writeText(_ text: String) {
        var copy = text
        copy.withUTF8 { write($0) }
    }

    /// Writes a whole number that is not negative.
    mutating func write(_ number: Int) {
        precondition(number >= 0, "only whole numbers from 0 are written")
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            var digit = UInt8(number / divisor % 10) + 0x30
            write(&digit, 1)
            divisor /= 10
        }
    }
}
