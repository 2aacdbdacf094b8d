// ObjectTable: the objects of one kind in a world, sorted and by path.
package import MeridianModel

/// An object and the store revision that last wrote it.
///
/// The object is held by reference, since plans and previews hand it on far more often than they change it: a copy of
/// an App or a Revision itself retains some thirty fields.
package struct Stored<Object: APIObject>: Sendable {
    private final class Box: Sendable {
        let object: Object
        init(_ object: Object) { self.object = object }
    }

    private var box: Box
    package var modRevision: Int64

    package var object: Object {
        get { box.object }
        set { box = Box(newValue) }
    }

    package init(_ object: Object, modRevision: Int64) {
        box = Box(object)
        self.modRevision = modRevision
    }
}

/// The objects of one kind, sorted by namespace and name, with look-up by `namespace/name`.
///
/// Adding one costs a binary search and a move of paths, so that a preview of a thousand new apps stays cheap.
package struct ObjectTable<Object: APIObject>: Sendable, Sequence {
    private var objects: [String: Stored<Object>]
    /// The paths of all objects, sorted as their keys are.
    private var paths: [String]

    package init(_ objects: [Stored<Object>] = []) {
        let keyed = objects.map { (key: $0.object.key, stored: $0) }.sorted { $0.key < $1.key }
        paths = keyed.map(\.key.path)
        self.objects = Dictionary(zip(paths, keyed.map(\.stored)), uniquingKeysWith: { first, _ in first })
        if self.objects.count < paths.count {
            // The first of two objects at one path stays, as in the dictionary.
            var seen: Set<String> = []
            paths = paths.filter { seen.insert($0).inserted }
        }
    }

    /// The object at `namespace/name` (or `name` where cluster-scoped).
    package subscript(path: String) -> Stored<Object>? { objects[path] }

    /// Adds an object or replaces the one at its path.
    package mutating func set(_ stored: Stored<Object>) {
        let key = stored.object.key
        if objects.updateValue(stored, forKey: key.path) == nil { paths.insert(key.path, at: place(of: key)) }
    }

    /// Removes the object at `path`, if it is there.
    package mutating func remove(_ path: String) {
        guard let key = objects[path]?.object.key else { return }
        paths.remove(at: place(of: key))
        objects[path] = nil
    }

    /// The index of the first path whose object does not come before `key`.
    private func place(of key: ObjectKey) -> Int {
        var (low, high) = (0, paths.count)
        while low < high {
            let middle = (low + high) / 2
            if let other = objects[paths[middle]]?.object.key, other < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    package func makeIterator() -> Iterator { Iterator(paths: paths.makeIterator(), objects: objects) }

    /// The number of objects.
    package var count: Int { objects.count }

    /// Goes through a table in order.
    package struct Iterator: IteratorProtocol {
        fileprivate var paths: IndexingIterator<[String]>
        fileprivate let objects: [String: Stored<Object>]

        package mutating func next() -> Stored<Object>? { paths.next().flatMap { objects[$0] } }
    }
}
