// ObjectTable: the objects of one kind in a world, sorted and by path.
package import MeridianModel

/// An object and the store revision that last wrote it.
package struct Stored<Object: APIObject>: Sendable {
    package var object: Object
    package var modRevision: Int64

    package init(_ object: Object, modRevision: Int64) {
        self.object = object
        self.modRevision = modRevision
    }
}

/// The objects of one kind, sorted by namespace and name, with look-up by `namespace/name`.
package struct ObjectTable<Object: APIObject>: Sendable, Sequence {
    private var sorted: [Stored<Object>]
    private var places: [String: Int]

    package init(_ objects: [Stored<Object>] = []) {
        sorted = objects.sorted { $0.object.key < $1.object.key }
        places = Dictionary(
            sorted.enumerated().map { ($0.element.object.key.path, $0.offset) }, uniquingKeysWith: { first, _ in first })
    }

    /// The object at `namespace/name` (or `name` where cluster-scoped).
    package subscript(path: String) -> Stored<Object>? { places[path].map { sorted[$0] } }

    /// Adds an object or replaces the one at its path.
    package mutating func set(_ stored: Stored<Object>) {
        if let place = places[stored.object.key.path] {
            sorted[place] = stored
        } else {
            self = ObjectTable(sorted + [stored])
        }
    }

    /// Removes the object at `path`, if it is there.
    package mutating func remove(_ path: String) {
        guard places[path] != nil else { return }
        self = ObjectTable(sorted.filter { $0.object.key.path != path })
    }

    package func makeIterator() -> IndexingIterator<[Stored<Object>]> { sorted.makeIterator() }

    /// The number of objects.
    package var count: Int { sorted.count }
}
