// ShapeValue+Collections: lists, maps and choices of field values.

extension Array: ShapeValue where Element: ShapeValue {
    package static var schema: JSONSchema {
        let element = Element.schema
        return JSONSchema(
            JSONObject([.init(key: "type", value: "array"), .init(key: "items", value: .object(element.keywords))]),
            definitions: element.definitions
        )
    }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> [Element]? {
        guard case .array(let elements) = value else {
            context.mismatch(value, at: path, expected: "a list")
            return nil
        }
        var decoded: [Element] = []
        decoded.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            if let one = Element.decode(element, at: path[index], &context) { decoded.append(one) }
        }
        return decoded.count == elements.count ? decoded : nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .array(map { $0.encoded(explicit: explicit) }) }
}

extension Dictionary: ShapeValue where Key == String, Value: ShapeValue {
    package static var schema: JSONSchema {
        let element = Value.schema
        return JSONSchema(
            JSONObject([
                .init(key: "type", value: "object"),
                .init(key: "additionalProperties", value: .object(element.keywords)),
            ]),
            definitions: element.definitions
        )
    }

    package static func decode(
        _ value: JSONValue,
        at path: FieldPath,
        _ context: inout DecodingContext
    ) -> [String: Value]? {
        guard case .object(let object) = value else {
            context.mismatch(value, at: path, expected: "a map")
            return nil
        }
        var decoded: [String: Value] = [:]
        for member in object.members {
            if let one = Value.decode(member.value, at: path[member.key], &context) {
                decoded[member.key] = one
            }
        }
        return decoded.count == object.count ? decoded : nil
    }

    /// The map with its keys sorted, so that equal maps are written alike.
    package func encoded(explicit: Bool) -> JSONValue {
        let members = sorted { $0.key < $1.key }
        return .object(JSONObject(members.map { .init(key: $0.key, value: $0.value.encoded(explicit: explicit)) }))
    }
}

/// An enumeration written as one of a fixed set of words.
package protocol WordShapeValue: ShapeValue, RawRepresentable, CaseIterable where RawValue == String {}

extension WordShapeValue {
    package static var schema: JSONSchema {
        JSONSchema(["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })])
    }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Self? {
        let words = allCases.map(\.rawValue)
        guard case .string(let text) = value else {
            context.mismatch(value, at: path, expected: "one of \(words.joined(separator: ", "))")
            return nil
        }
        if let known = Self(rawValue: text) { return known }
        let hint = suggestion(for: text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
        context.add(
            .invalid,
            at: path,
            "\(path): \"\(text.prefix(80))\" is not one of \(words.joined(separator: ", "))\(hint)"
        )
        return nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .string(rawValue) }
}
