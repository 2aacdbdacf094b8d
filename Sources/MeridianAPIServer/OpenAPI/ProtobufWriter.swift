// ProtobufWriter: writes the fields of a protobuf message.

/// Bytes of a message, field after field.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// A text; an empty one is left out, as proto3 has it.
    mutating func text(_ number: Int, _ text: String) {
        guard !text.isEmpty else { return }
        field(number, Array(text.utf8))
    }

    mutating func texts(_ number: Int, _ texts: [String]) {
        for text in texts { field(number, Array(text.utf8)) }
    }

    mutating func flag(_ number: Int, _ flag: Bool) {
        guard flag else { return }
        varint(UInt64(number) << 3)
        varint(1)
    }

    /// A message inside this one, written by `write`.
    mutating func message(_ number: Int, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        field(number, inner.bytes)
    }

    /// Bytes that are fields already.
    mutating func append(_ fields: [UInt8]) { bytes += fields }

    private mutating func field(_ number: Int, _ content: [UInt8]) {
        varint(UInt64(number) << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
