// PathElement: one step of a path as field ownership names it: a field, an item by its key, an item by its value.
package import MeridianModel

/// One step from a value to one inside it, as Kubernetes' FieldsV1 writes it.
///
/// Elements are ordered as FieldsV1 wants it: fields, keys, values, indices, each by content.
package enum PathElement: Hashable, Sendable {
    /// The member of an object: `f:name`.
    case field(String)
    /// The item of a keyed list that has these key fields, sorted by name: `k:{"port":80,"protocol":"TCP"}`.
    case key([KeyField])
    /// The item of a set that equals a scalar: `v:"fra"`.
    case value(JSONValue)
    /// The item of any other list: `i:0`.
    case index(Int)

    /// One key field of an item.
    package struct KeyField: Hashable, Sendable {
        package let name: String
        package let value: JSONValue
    }

    /// The element of an item with these key fields; whole doubles are taken for integers, as 1 and 1.0 are one item.
    package static func key(_ fields: [(name: String, value: JSONValue)]) -> PathElement {
        .key(fields.map { KeyField(name: $0.name, value: $0.value.wholeAsInteger) }.sorted { $0.name < $1.name })
    }

    /// The element of a set's item.
    package static func item(_ value: JSONValue) -> PathElement { .value(value.wholeAsInteger) }

    private var rank: Int {
        switch self {
        case .field: 0
        case .key: 1
        case .value: 2
        case .index: 3
        }
    }
}

extension PathElement: Comparable {
    package static func < (left: PathElement, right: PathElement) -> Bool {
        switch (left, right) {
        case (.field(let left), .field(let right)): left < right
        case (.key(let left), .key(let right)): left.lexicographicallyPrecedes(right, by: precedes)
        case (.value(let left), .value(let right)): precedes(left, right)
        case (.index(let left), .index(let right)): left < right
        default: left.rank < right.rank
        }
    }

    private static func precedes(_ left: KeyField, _ right: KeyField) -> Bool {
        left.name == right.name ? precedes(left.value, right.value) : left.name < right.name
    }

    private static func precedes(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if let left = left.number, let right = right.number { return left < right }
        return left.canonicalText < right.canonicalText
    }
}

extension PathElement: CustomStringConvertible {
    /// As Kubernetes' messages write it: `.name`, `[port=80,protocol="TCP"]`, `[="fra"]`, `[0]`.
    package var description: String {
        switch self {
        case .field(let name): ".\(name)"
        case .key(let fields): "[\(fields.map { "\($0.name)=\($0.value.canonicalText)" }.joined(separator: ","))]"
        case .value(let value): "[=\(value.canonicalText)]"
        case .index(let index): "[\(index)]"
        }
    }
}

extension JSONValue {
    /// The number, as far as a double holds it; nil for anything else.
    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    /// A whole double as the integer that it is; anything else as it is.
    var wholeAsInteger: JSONValue {
        guard case .double(let number) = self, let whole = Int64(exactly: number) else { return self }
        return .integer(whole)
    }

    /// Whether both are the same JSON value, numbers compared as numbers: 1 equals 1.0.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            guard left.count == right.count else { return false }
            return zip(left.sortedByKey, right.sortedByKey).allSatisfy {
                $0.key == $1.key && $0.value.isSame(as: $1.value)
            }
        default: return wholeAsInteger == other.wholeAsInteger
        }
    }
}
