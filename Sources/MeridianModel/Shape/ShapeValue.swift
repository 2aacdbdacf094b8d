// ShapeValue: what can be a field's value: read from JSON, written to JSON, described by JSON Schema.

/// A type whose values are fields of resources.
///
/// One conformance gives reading with diagnostics, writing and the JSON Schema, so that the three cannot disagree.
package protocol ShapeValue: Sendable, Equatable {
    /// The JSON Schema (draft 2020-12) of a value; shaped structs refer to `#/$defs/<Name>`.
    static var schema: JSONSchema { get }

    /// Reads `value`, which stands at `path`; nil after at least one problem was added to `context`.
    static func decode(_ value: JSONValue, at path: FieldPath, _ context: inout DecodingContext) -> Self?

    /// The JSON form; reading it back gives an equal value.
    ///
    /// With `explicit` every field that has a default is written too, so that two forms can be compared;
    /// otherwise fields at their default are left out.
    func encoded(explicit: Bool) -> JSONValue
}

extension ShapeValue {
    /// The JSON form without the fields that are at their default.
    package func encoded() -> JSONValue { encoded(explicit: false) }
}

/// What a reading pass collects.
package struct DecodingContext: Sendable {
    /// Something wrong at one place, in words that end with the next step where one is known.
    package struct Problem: Sendable, Hashable {
        /// The kinds that API errors distinguish (Kubernetes `StatusCause.reason`).
        package enum Reason: String, Sendable {
            case unknownField = "FieldValueUnknown"
            case required = "FieldValueRequired"
            case type = "FieldValueTypeInvalid"
            case invalid = "FieldValueInvalid"
        }

        /// Where in the object.
        package let path: FieldPath
        package let reason: Reason
        package let message: String
        /// Whether the key is at fault rather than its value, for the column that is named.
        package let atKey: Bool

        package init(path: FieldPath, reason: Reason, message: String, atKey: Bool = false) {
            self.path = path
            self.reason = reason
            self.message = message
            self.atKey = atKey
        }
    }

    /// Problems that are kept: nobody reads more, and a client that sends nothing else must not get a long answer.
    package static let problemsMax = 1000

    /// The first `problemsMax` problems in the order of the fields' declaration.
    package private(set) var problems: [Problem] = []

    /// Whether there may be more problems than are kept.
    package var isFull: Bool { problems.count >= Self.problemsMax }

    package init() {}

    /// Adds a problem at `path`.
    package mutating func add(_ reason: Problem.Reason, at path: FieldPath, _ message: String, atKey: Bool = false) {
        guard !isFull else { return }
        problems.append(Problem(path: path, reason: reason, message: message, atKey: atKey))
    }

    /// Adds "expected X, got Y" for a value of the wrong type or form.
    package mutating func mismatch(_ value: JSONValue, at path: FieldPath, expected: String) {
        add(.type, at: path, "\(path): expected \(expected), got \(value.typeName)\(shown(value))")
    }

    private func shown(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): " \"\(text.prefix(80))\""
        case .integer(let number): " \(number)"
        case .double(let number): " \(number)"
        case .bool(let flag): " \(flag)"
        default: ""
        }
    }
}
