// ProtobufMessage: the messages that kubectl sends as protobuf, as tables of their fields, and their JSON form.
internal import MeridianModel

/// How the fields of a message are named and read.
struct ProtobufMessage: Sendable {
    /// What a field holds.
    indirect enum Content: Sendable {
        case text
        case texts
        case flag
        case number
        /// Text by text.
        case textMap
        /// Bytes by text, written as base64 in JSON.
        case bytesMap
        case message(ProtobufMessage)
        case messages(ProtobufMessage)
        /// Seconds and nanoseconds (`metav1.Time`), written as RFC 3339.
        case time
    }

    /// Field numbers with their names in JSON.
    let fields: [Int: (name: String, content: Content)]

    init(_ fields: [Int: (name: String, content: Content)]) { self.fields = fields }

    /// The message as a JSON object; nil where the bytes are no message.
    ///
    /// Fields that no table names are left out. Recursion is bounded by the tables, which are finite.
    func json(_ bytes: ArraySlice<UInt8>) -> JSONObject? {
        guard let found = protobufFields(bytes) else { return nil }
        var object = JSONObject()
        for (number, field) in found {
            guard let (name, content) = fields[number] else { continue }
            guard let value = content.value(of: field, after: object[name]) else { return nil }
            object[name] = value
        }
        return object
    }
}

extension ProtobufMessage.Content {
    /// The value of a field; `earlier` is what the same field held before, for those that may be repeated.
    fileprivate func value(of field: ProtobufField, after earlier: JSONValue?) -> JSONValue? {
        switch (self, field) {
        case (.flag, .number(let number)): return .bool(number != 0)
        case (.number, .number(let number)): return .integer(Int64(bitPattern: number))
        case (.text, .bytes(let bytes)): return text(bytes)
        case (.texts, .bytes(let bytes)): return text(bytes).map { .array((earlier?.array ?? []) + [$0]) }
        case (.message(let message), .bytes(let bytes)): return message.json(bytes).map { .object($0) }
        case (.messages(let message), .bytes(let bytes)):
            return message.json(bytes).map { .array((earlier?.array ?? []) + [.object($0)]) }
        case (.textMap, .bytes(let bytes)): return map(bytes, earlier) { text($0) }
        case (.bytesMap, .bytes(let bytes)): return map(bytes, earlier) { .string(base64Text(Array($0))) }
        case (.time, .bytes(let bytes)): return time(bytes)
        default: return nil
        }
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> JSONValue? {
        String(validating: bytes, as: UTF8.self).map { .string($0) }
    }

    /// The map with one more entry: a message of key 1 and value 2.
    private func map(
        _ bytes: ArraySlice<UInt8>,
        _ earlier: JSONValue?,
        _ value: (ArraySlice<UInt8>) -> JSONValue?
    ) -> JSONValue? {
        guard let entry = protobufFields(bytes) else { return nil }
        var key = ""
        var content: JSONValue = value([]) ?? .null
        for (number, field) in entry {
            guard case .bytes(let bytes) = field else { return nil }
            if number == 1 {
                guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
                key = text
            } else if number == 2 {
                guard let given = value(bytes) else { return nil }
                content = given
            }
        }
        var object = earlier?.object ?? JSONObject()
        object[key] = content
        return .object(object)
    }

    private func time(_ bytes: ArraySlice<UInt8>) -> JSONValue? {
        guard let fields = protobufFields(bytes) else { return nil }
        // An empty time is Go's zero time, which JSON writes as null.
        guard case .number(let seconds)? = fields.first(where: { $0.number == 1 })?.field else { return .null }
        let (milliseconds, isTooLarge) = Int64(bitPattern: seconds).multipliedReportingOverflow(by: 1000)
        guard !isTooLarge, (0...Self.millisecondsMax).contains(milliseconds) else { return nil }
        return .string(Timestamp(milliseconds: milliseconds).description)
    }

    /// The end of the year 9999, the last that RFC 3339 can write.
    private static let millisecondsMax: Int64 = 253_402_300_799_000
}
