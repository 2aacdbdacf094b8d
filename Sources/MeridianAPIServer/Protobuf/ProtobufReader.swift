// ProtobufReader: the fields of a protobuf message, as its encoding has them.

/// The wire form of one field (protobuf.dev/programming-guides/encoding).
enum ProtobufField {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
}

/// The fields of a message in their order; nil where the bytes are no message.
///
/// Fixed-width fields are skipped: no message that is read here has one. Linear in the bytes.
func protobufFields(_ message: ArraySlice<UInt8>) -> [(number: Int, field: ProtobufField)]? {
    var rest = message
    var fields: [(Int, ProtobufField)] = []
    while !rest.isEmpty {
        guard let tag = varint(&rest), tag >> 3 > 0, tag >> 3 <= 0x1FFF_FFFF else { return nil }
        let number = Int(tag >> 3)
        switch tag & 7 {
        case 0:
            guard let value = varint(&rest) else { return nil }
            fields.append((number, .number(value)))
        case 1:
            guard rest.count >= 8 else { return nil }
            rest = rest.dropFirst(8)
        case 2:
            guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
            fields.append((number, .bytes(rest.prefix(Int(length)))))
            rest = rest.dropFirst(Int(length))
        case 5:
            guard rest.count >= 4 else { return nil }
            rest = rest.dropFirst(4)
        default: return nil
        }
    }
    return fields
}

private func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    // Ten groups of seven bits hold 64 bits.
    for group in 0..<10 {
        guard let byte = bytes.popFirst() else { return nil }
        value |= UInt64(byte & 0x7F) << UInt64(7 * group)
        if byte < 0x80 { return value }
    }
    return nil
}
