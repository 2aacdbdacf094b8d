// Bytes: classes of bytes (RFC 9110 §5.6.2, RFC 3986) and comparisons without allocation.
internal import Glibc

typealias Bytes = UnsafeMutablePointer<UInt8>

extension UInt8 {
    static let carriageReturn: UInt8 = 0x0D
    static let lineFeed: UInt8 = 0x0A
    static let space: UInt8 = 0x20
    static let tab: UInt8 = 0x09
    static let colon: UInt8 = 0x3A
    static let comma: UInt8 = 0x2C

    var isDigit: Bool { self &- 0x30 < 10 }

    var isBlank: Bool { self == .space || self == .tab }

    /// A byte of a token: methods and field names.
    var isToken: Bool { isMember(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// A byte of a host with a port: unreserved, sub-delims, `%`, `:` and brackets.
    var isHost: Bool { isMember(low: 0x2FFF_7FF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFE) }

    /// A byte of a request id that is taken over from the client.
    var isRequestID: Bool { isMember(low: 0x27FF_E800_0000_0000, high: 0x07FF_FFFE_87FF_FFFF) }

    /// A byte that a field value must not hold: every control byte but the tab.
    var isForbiddenInValue: Bool { (self < 0x20 && self != .tab) || self == 0x7F }

    var lowered: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    var hexadecimalValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = self | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// Membership in a set of ASCII bytes given as two bit maps.
    private func isMember(low: UInt64, high: UInt64) -> Bool {
        self < 128 && ((self < 64 ? low : high) >> UInt64(self & 63)) & 1 == 1
    }
}

/// Whether `count` bytes are `word` in any case; `word` is in lower case.
func matches(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    let expected = word.utf8Start
    for index in 0..<count where bytes[index].lowered != expected[index] { return false }
    return true
}

/// The offset of the next line feed in `from..<end`; nil where there is none.
func lineFeed(_ bytes: UnsafePointer<UInt8>, from: Int, to end: Int) -> Int? {
    guard from < end, let found = memchr(bytes + from, 0x0A, end - from) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes)
}

/// Whether `from..<end` holds no byte that a field value must not hold.
///
/// Eight bytes at a time: a word without a byte below 0x20 or equal to 0x7F passes at once; others are looked at
/// singly.
func isValidValue(_ bytes: UnsafePointer<UInt8>, from: Int, to end: Int) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    var index = from
    while index + 8 <= end {
        // An unaligned load inside the bounds just checked.
        let word = UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)
        let below = (word &- ones &* 0x20) & ~word & highs
        let deleted = word ^ (ones &* 0x7F)
        let isDeleted = (deleted &- ones) & ~deleted & highs
        if below | isDeleted != 0 {
            for inner in index..<index + 8 where bytes[inner].isForbiddenInValue { return false }
        }
        index += 8
    }
    while index < end {
        if bytes[index].isForbiddenInValue { return false }
        index += 1
    }
    return true
}
