// ShapeValue+Basic: the scalar types that fields hold.

extension String: ShapeValue {
    package static var schema: JSONSchema { JSONSchema(["type": "string"]) }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> String? {
        if let text = value.string { return text }
        context.mismatch(value, at: path, expected: "a string (put quotes around it)")
        return nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .string(self) }
}

extension Bool: ShapeValue {
    package static var schema: JSONSchema { JSONSchema(["type": "boolean"]) }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Bool? {
        if let flag = value.bool { return flag }
        context.mismatch(value, at: path, expected: "true or false")
        return nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .bool(self) }
}

extension Int: ShapeValue {
    package static var schema: JSONSchema { JSONSchema(["type": "integer"]) }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Int? {
        if let number = value.integer { return Int(number) }
        context.mismatch(value, at: path, expected: "a whole number")
        return nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .integer(Int64(self)) }
}

extension Double: ShapeValue {
    package static var schema: JSONSchema { JSONSchema(["type": "number"]) }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Double? {
        switch value {
        case .double(let number): return number
        case .integer(let number): return Double(number)
        default:
            context.mismatch(value, at: path, expected: "a number")
            return nil
        }
    }

    package func encoded(explicit: Bool) -> JSONValue { .double(self) }
}

extension JSONValue: ShapeValue {
    package static var schema: JSONSchema { JSONSchema([:]) }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> JSONValue? {
        value
    }

    package func encoded(explicit: Bool) -> JSONValue { self }
}

/// A scalar that is written as a string of a certain form.
package protocol TextShapeValue: ShapeValue {
    /// The words for the form, with an example: `a duration such as 30s or 1h30m`.
    static var textForm: String { get }
    /// A regular expression (ECMA-262) that accepts the usual forms, for the schema; nil where none helps.
    static var textPattern: String? { get }
    /// Parses the text; nil where it is of another form.
    init?(shapeText: String)
    /// The text that `init(shapeText:)` reads back.
    var shapeText: String { get }
}

extension TextShapeValue {
    package static var schema: JSONSchema {
        let base = JSONSchema(["type": "string"])
        return textPattern.map { base.adding(["pattern": .string($0)]) } ?? base
    }

    package static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Self? {
        guard case .string(let text) = value else {
            context.mismatch(value, at: path, expected: textForm)
            return nil
        }
        if let parsed = Self(shapeText: text) { return parsed }
        context.add(.invalid, at: path, "\(path): \"\(text.prefix(80))\" is not \(textForm)")
        return nil
    }

    package func encoded(explicit: Bool) -> JSONValue { .string(shapeText) }
}

extension Duration: TextShapeValue {
    package static var textForm: String { "a duration such as 30s, 500ms or 1h30m" }
    package static var textPattern: String? { "^(0|([0-9]+(ms|s|m|h|d))+)$" }
    package init?(shapeText: String) { self.init(text: shapeText) }
    package var shapeText: String { text }
}

extension Timestamp: TextShapeValue {
    package static var textForm: String { "a time such as 2026-04-03T12:00:00Z" }
    package static var textPattern: String? { nil }
    package init?(shapeText: String) { self.init(shapeText) }
    package var shapeText: String { description }
}

extension Digest: TextShapeValue {
    package static var textForm: String { "a digest: sha256: and 64 lower-case hexadecimal digits" }
    package static var textPattern: String? { "^sha256:[0-9a-f]{64}$" }
    package init?(shapeText: String) { self.init(shapeText) }
    package var shapeText: String { description }
}

extension ByteQuantity: TextShapeValue {
    package static var textForm: String { "an amount of memory such as 256Mi" }
    package static var textPattern: String? { "^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$" }
    package init?(shapeText: String) { self.init(shapeText) }
    package var shapeText: String { description }
}

extension CPUQuantity: TextShapeValue {
    package static var textForm: String { "an amount of processor time such as \"1\", \"1.5\" or \"250m\"" }
    package static var textPattern: String? { "^[0-9]+([.][0-9]{1,3}|m)?$" }
    package init?(shapeText: String) { self.init(shapeText) }
    package var shapeText: String { description }
}
