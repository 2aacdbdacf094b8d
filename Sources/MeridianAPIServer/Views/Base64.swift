// Base64: bytes as text (RFC 4648 §4), as `data` of core Secrets holds them.

private let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

/// The base64 text of `bytes`, padded.
func base64Text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let chunk = bytes[start..<min(start + 3, bytes.count)]
        let number = chunk.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - chunk.count))
        for position in 0..<4 {
            let isPadding = position > chunk.count
            text.append(isPadding ? UInt8(ascii: "=") : alphabet[number >> (18 - 6 * position) & 63])
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes of a padded base64 text, line breaks ignored; nil where it is none.
func base64Bytes(_ text: String) -> [UInt8]? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard digits.count % 4 == 0 else { return nil }
    let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 4 * 3)
    var bits = 0
    var count = 0
    for digit in digits.dropLast(padding) {
        guard let value = value(ofDigit: digit) else { return nil }
        bits = (bits << 6 | value) & 0xFFFF
        count += 6
        guard count >= 8 else { continue }
        count -= 8
        bytes.append(UInt8(bits >> count & 0xFF))
    }
    return bytes
}

private func value(ofDigit digit: UInt8) -> Int? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(digit - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(digit - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
