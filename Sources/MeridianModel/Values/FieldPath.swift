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

    /// The last step and what is before it; shared by all paths that go on from here, since reading an object makes a
    /// path for every field and looks at hardly any.
    private final class Step: Sendable {
        let parent: Step?
        let element: Element

        init(_ parent: Step?, _ element: Element) {
            self.parent = parent
            self.element = element
        }
    }

    /// Nil for the root.
    private let last: Step?

    private init(last: Step?) { self.last = last }

    /// The path of `elements`.
    package init(_ elements: [Element]) { last = elements.reduce(nil) { Step($0, $1) } }

    /// The path of these nested object keys: `FieldPath("spec", "source", "path")`; the root without any.
    package init(_ fields: String...) { self.init(fields.map(Element.field)) }

    /// The document itself.
    package static let root = FieldPath(last: nil)

    /// The steps from the root; empty for the root itself.
    package var elements: [Element] {
        var reversed: [Element] = []
        var step = last
        while let here = step {
            reversed.append(here.element)
            step = here.parent
        }
        return reversed.reversed()
    }

    /// The path of the member `key` of the object here.
    package subscript(key: String) -> FieldPath { FieldPath(last: Step(last, .field(key))) }

    /// The path of the element `index` of the array here.
    package subscript(index: Int) -> FieldPath { FieldPath(last: Step(last, .index(index))) }

    /// The path of the value that holds this one; nil for the root.
    package var parent: FieldPath? { last.map { FieldPath(last: $0.parent) } }

    package static func == (one: FieldPath, other: FieldPath) -> Bool { one.elements == other.elements }

    package func hash(into hasher: inout Hasher) { hasher.combine(elements) }
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
