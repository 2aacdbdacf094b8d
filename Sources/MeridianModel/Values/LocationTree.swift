// LocationTree: where in its text every part of a parsed document stands.

/// A place in a text.
package struct SourceLocation: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The line, counted from 1.
    package let line: Int
    /// The column in Unicode scalars, counted from 1.
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The first character of a text.
    package static let start = SourceLocation(line: 1, column: 1)

    package var description: String { "\(line):\(column)" }

    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// The locations of one value and of everything in it; its shape is that of the value.
package struct LocationTree: Hashable, Sendable {
    /// Where one object member stands.
    package struct Member: Hashable, Sendable {
        /// The member's key as the value has it.
        package let key: String
        /// Where the key begins.
        package let keyStart: SourceLocation
        /// The locations of the member's value.
        package let value: LocationTree

        package init(key: String, keyStart: SourceLocation, value: LocationTree) {
            self.key = key
            self.keyStart = keyStart
            self.value = value
        }
    }

    /// The locations of what a value holds.
    package enum Children: Hashable, Sendable {
        /// A scalar holds nothing.
        case none
        /// One tree per array element, in order.
        case elements([LocationTree])
        /// One entry per object member, in the object's order.
        case members([Member])
    }

    /// Where the value begins; for an empty YAML value, where it would have begun.
    package let start: SourceLocation
    /// The locations of its elements or members.
    package let children: Children

    package init(start: SourceLocation, children: Children = .none) {
        self.start = start
        self.children = children
    }

    /// Where the value at `path` begins, or its key when `key` is true and the path ends in a field.
    ///
    /// A path that leads nowhere is answered with its nearest existing ancestor, found the same way, so that a missing
    /// field is reported at the object that lacks it.
    package func location(of path: FieldPath, key: Bool = false) -> SourceLocation {
        var tree = self
        var found = start
        for element in path.elements {
            switch (element, tree.children) {
            case (.field(let name), .members(let members)):
                guard let member = members.first(where: { $0.key == name }) else { return found }
                tree = member.value
                found = key ? member.keyStart : tree.start
            case (.index(let index), .elements(let elements)):
                guard elements.indices.contains(index) else { return found }
                tree = elements[index]
                found = tree.start
            default: return found
            }
        }
        return found
    }
}

/// A value together with the locations of its parts.
package struct LocatedValue: Hashable, Sendable {
    /// The value.
    package let value: JSONValue
    /// Where its parts stand; same shape as `value`.
    package let locations: LocationTree

    package init(value: JSONValue, locations: LocationTree) {
        self.value = value
        self.locations = locations
    }

    /// The elements of an array with their locations; nil for any other value.
    package var elements: [LocatedValue]? {
        guard case .array(let values) = value, case .elements(let trees) = locations.children else { return nil }
        return zip(values, trees).map(LocatedValue.init(value:locations:))
    }

    /// The member `key` of an object with its locations; nil where this is no object or has no such member.
    package subscript(key: String) -> LocatedValue? {
        guard let member = value[key], case .members(let members) = locations.children,
            let place = members.first(where: { $0.key == key })
        else { return nil }
        return LocatedValue(value: member, locations: place.value)
    }
}
