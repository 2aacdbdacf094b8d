// FieldPath: the way from a document's root to one of its values, as messages print it.

/// A path into a JSON value: `spec.regions.preferred[0]`, `spec.env["a.b"]`.
///
/// The description is the Kubernetes way of naming a field: no leading dot, and the empty text for the root.
package struct FieldPath: Hashable, Sendable {
    /// One step of a path.
    package enum Element: Hashable, Sendable {
        /// The member of an object with this key.
        case field(String)
        /// The element of an array with this index, counted from 0.
        case index(Int)
    }

    /// The steps from the root; empty for the root itself.
    package var elements: [Element]

    /// The path of `elements`.
    package init(_ elements: [Element]) { self.elements = elements }

    /// The path of these nested object keys: `FieldPath("spec", "source", "path")`; the root without any.
    package init(_ fields: String...) { elements = fields.map(Element.field) }

    /// The document itself.
    package static let root = FieldPath([])

    /// The path of the member `key` of the object here.
    package subscript(key: String) -> FieldPath { FieldPath(elements + [.field(key)]) }

    /// The path of the element `index` of the array here.
    package subscript(index: Int) -> FieldPath { FieldPath(elements + [.index(index)]) }

    /// The path of the value that holds this one; nil for the root.
    package var parent: FieldPath? { elements.isEmpty ? nil : FieldPath(Array(elements.dropLast())) }
}

extension FieldPath: CustomStringConvertible {
    package var description: String {
        var text = ""
        for element in elements {
            switch element {
            case .index(let index): text += "[\(index)]"
            case .field(let key) where Self.isIdentifier(key): text += text.isEmpty ? key : ".\(key)"
            case .field(let key): text += "[\(JSONValue.string(key).text())]"
            }
        }
        return text
    }

    /// Whether `key` can stand in a path without quotes: ASCII letters, digits and `_`, not beginning with a digit.
    private static func isIdentifier(_ key: String) -> Bool {
        guard let first = key.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return key.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }
}

extension JSONValue {
    /// The value at `path` inside this one; nil where the path leads nowhere.
    package subscript(path: FieldPath) -> JSONValue? {
        var value = self
        for element in path.elements {
            switch (element, value) {
            case (.field(let key), .object(let object)):
                guard let member = object[key] else { return nil }
                value = member
            case (.index(let index), .array(let array)):
                guard array.indices.contains(index) else { return nil }
                value = array[index]
            default: return nil
            }
        }
        return value
    }
}
