// MergeForm: what a value is to the walks over objects: a leaf, an object by members, a list by items.
internal import MeridianModel

/// How one value takes part in merging.
enum MergeForm: Hashable {
    /// Taken as a whole.
    case leaf
    /// Member by member; null counts as no members.
    case map
    /// Item by item; null counts as no items.
    case list
}

/// One item of a list with the element that names it.
struct NamedItem {
    let element: PathElement
    let value: JSONValue
}

extension MergeSchema {
    /// The form of a value of `type`; a value that is not of its type is a leaf.
    func form(of value: JSONValue, _ type: MergeType) -> MergeForm {
        switch (resolved(type), value) {
        case (.deduced, .object), (.map, .object), (.map, .null): .map
        case (.set, .array), (.set, .null), (.keyed, .array), (.keyed, .null): .list
        default: .leaf
        }
    }

    /// The type of a list's items.
    func itemType(of type: MergeType) -> MergeType {
        guard case .keyed(_, let item) = resolved(type) else { return .scalar }
        return item
    }

    /// The items of a list by their elements, in order; an element may be there twice.
    ///
    /// - Throws: `MergeError` with code `invalid` for an item that cannot be told from others.
    func items(of list: JSONValue?, _ type: MergeType, at path: [PathElement]) throws(MergeError) -> [NamedItem] {
        guard let elements = list?.array else { return [] }
        var items: [NamedItem] = []
        items.reserveCapacity(elements.count)
        for (index, value) in elements.enumerated() {
            let element = try self.element(of: value, type, at: path + [.index(index)])
            items.append(NamedItem(element: element, value: value))
        }
        return items
    }

    private func element(of item: JSONValue, _ type: MergeType, at path: [PathElement]) throws(MergeError)
        -> PathElement
    {
        guard case .keyed(let keys, _) = resolved(type) else {
            guard item.array == nil, item.object == nil else {
                throw MergeError(.invalid, "an item of a set must be a scalar, got \(item.typeName)", path: path)
            }
            return .item(item)
        }
        guard let object = item.object else {
            throw MergeError(.invalid, "an item must be an object, got \(item.typeName)", path: path)
        }
        let fields = keys.compactMap { key in
            (object[key.name] ?? key.fallback).map { (name: key.name, value: $0) }
        }
        guard !fields.isEmpty else {
            let names = keys.map(\.name).joined(separator: ", ")
            throw MergeError(.invalid, "an item must have one of its key fields: \(names)", path: path)
        }
        return .key(fields)
    }
}

extension [NamedItem] {
    /// The values by element, in the order of the list; more than one where the element is there twice.
    var byElement: [PathElement: [JSONValue]] {
        Dictionary(map { ($0.element, [$0.value]) }, uniquingKeysWith: +)
    }
}

extension JSONValue? {
    /// Whether there is no value, null, or an object or list without content.
    var isVoid: Bool {
        switch self {
        case nil, .null: true
        case .array(let items): items.isEmpty
        case .object(let object): object.isEmpty
        default: false
        }
    }
}
