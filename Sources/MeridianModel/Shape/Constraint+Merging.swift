// Constraint+Merging: how several clients share a list or object, as Kubernetes' schema extensions say it.

/// By default a list belongs as a whole to the client that applied it, and an object belongs by its members.
///
/// These say otherwise; they check nothing. The keywords are Kubernetes' (`x-kubernetes-list-type` and its like).
extension Constraint {
    /// A list whose items several clients may give, each item once; their order means nothing.
    package static func unordered<Item>() -> Constraint where Value == [Item] {
        sharing(["x-kubernetes-list-type": "set"])
    }

    /// A list of objects that are told apart by the fields `keys`, so that clients may share the list and an item.
    package static func keyed<Item: Shaped>(by keys: String...) -> Constraint where Value == [Item] {
        let names = JSONValue.array(keys.map { .string($0) })
        return sharing(["x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": names])
    }

    private static func sharing(_ keywords: KeyValuePairs<String, JSONValue>) -> Constraint {
        Constraint(describe: { $0.adding(keywords) }, fault: { _ in nil })
    }
}

extension Constraint where Value: Shaped {
    /// An object that belongs to one client as a whole, since its fields say one thing together.
    package static var oneThing: Constraint { sharing(["x-kubernetes-map-type": "atomic"]) }
}
