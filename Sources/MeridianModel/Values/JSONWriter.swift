// JSONWriter: JSONValue as JSON text: compact, for people, or canonical.

extension JSONValue {
    /// This value as JSON text, on one line or, when `pretty`, indented by two spaces per level.
    ///
    /// Object keys keep their order. Doubles are written in the shortest form that reads back as the same double, and
    /// a whole double keeps its `.0`. A double that is not finite has no JSON form and is written `null`.
    package func text(pretty: Bool = false) -> String { String(decoding: utf8(pretty: pretty), as: UTF8.self) }

    /// The UTF-8 bytes of `text(pretty:)`.
    package func utf8(pretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(isPretty: pretty, sortsKeys: false)
        writer.write(self, level: 0)
        return writer.bytes
    }

    /// The one text of all values that are equal to this one: compact, keys sorted; for digests and comparison.
    package var canonicalText: String { String(decoding: canonicalUTF8, as: UTF8.self) }

    /// The UTF-8 bytes of `canonicalText`.
    package var canonicalUTF8: [UInt8] {
        var writer = JSONWriter(isPretty: false, sortsKeys: true)
        writer.write(self, level: 0)
        return writer.bytes
    }
}

/// Appends values to a growing byte array.
struct JSONWriter {
    let isPretty: Bool
    let sortsKeys: Bool
    private(set) var bytes: [UInt8] = []

    init(isPretty: Bool, sortsKeys: Bool) {
        self.isPretty = isPretty
        self.sortsKeys = sortsKeys
    }

    /// Writes `value`, which stands inside `level` arrays and objects.
    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .double(let value): append(value.isFinite ? "\(value)" : "null")
        case .string(let value): writeString(value)
        case .array(let elements): writeArray(elements, level: level + 1)
        case .object(let object): writeObject(sortsKeys ? object.sortedByKey : object.members, level: level + 1)
        }
    }

    private mutating func writeArray(_ elements: [JSONValue], level: Int) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            breakLine(level)
            write(element, level: level)
        }
        if !elements.isEmpty { breakLine(level - 1) }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func writeObject(_ members: [JSONObject.Member], level: Int) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            breakLine(level)
            writeString(member.key)
            bytes.append(UInt8(ascii: ":"))
            if isPretty { bytes.append(UInt8(ascii: " ")) }
            write(member.value, level: level)
        }
        if !members.isEmpty { breakLine(level - 1) }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func breakLine(_ level: Int) {
        guard isPretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    private mutating func writeString(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = string
        text.withUTF8 { utf8 in
            var start = 0
            for index in utf8.indices where Self.needsEscape(utf8[index]) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
                writeEscape(utf8[index])
                start = index + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and control characters; DEL too, since terminals act on it.
    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
    }

    private mutating func writeEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            let digits = String(byte, radix: 16)
            append("u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
