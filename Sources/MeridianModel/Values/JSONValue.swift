// JSONValue: the JSON document as a value; the working material of manifests, API and store.

/// One JSON value (RFC 8259) with integers kept apart from doubles and object keys in their written order.
///
/// Integers outside `Int64` become `.double`. Equality of objects ignores key order.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// The string, or nil for any other case.
    package var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The integer, or nil for any other case (a double is not rounded).
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// The boolean, or nil for any other case.
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements, or nil for any other case.
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

    /// The members, or nil for any other case.
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }

    /// Whether this is JSON `null`.
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The word that an error message uses for this value's type: `object`, `array`, `string`, `integer`, `number`, `boolean`, `null`.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The member named `key` of an object; nil where this is no object or has no such member.
    package subscript(key: String) -> JSONValue? { object?[key] }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}

/// The members of a JSON object in their written order.
///
/// Look-up is linear: objects here are small, and the parsers refuse duplicate keys by a set of their own.
package struct JSONObject: Sendable {
    /// One `"key": value` pair.
    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members in written order; keys are unique.
    package private(set) var members: [Member]

    /// An object of `members`, whose keys the caller knows to be unique.
    package init(_ members: [Member] = []) { self.members = members }

    /// The number of members.
    package var count: Int { members.count }

    /// Whether there is no member.
    package var isEmpty: Bool { members.isEmpty }

    /// The keys in written order.
    package var keys: [String] { members.map(\.key) }

    /// The value of `key`.
    ///
    /// Setting appends a new key at the end, keeps an old key's place, and removes on nil.
    package subscript(key: String) -> JSONValue? {
        get { members.first { $0.key == key }?.value }
        set {
            let index = members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        // Two forms of one object mostly have their members in the same order.
        let agrees = zip(left.members, right.members).allSatisfy { $0.key == $1.key }
        return agrees ? left.members == right.members : left.sortedByKey == right.sortedByKey
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(sortedByKey) }

    /// The members sorted by key in Unicode scalar order, for comparison and canonical output.
    package var sortedByKey: [Member] { members.sorted { $0.key < $1.key } }
}
