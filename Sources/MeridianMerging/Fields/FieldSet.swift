// FieldSet: a set of paths into one object: what a manager owns, what a change touched.

/// A set of paths, held as a tree.
///
/// A path and a path below it are different members: set operations look at exact paths, except where a name says
/// otherwise. The empty path, the object itself, is never a member. Operations take time linear in the smaller tree,
/// `union` in both.
package struct FieldSet: Hashable, Sendable {
    /// A place in the tree.
    struct Node: Hashable, Sendable {
        /// Whether the path that ends here is a member.
        var isMember = false
        /// What is below.
        var children = FieldSet()
    }

    /// The places one step down; none is without a member at or below it.
    private(set) var nodes: [PathElement: Node] = [:]

    package init() {}

    /// The set of these paths.
    package init(_ paths: [[PathElement]]) {
        for path in paths { insert(path) }
    }

    /// Whether there is no member.
    package var isEmpty: Bool { nodes.isEmpty }

    /// Every member, sorted as FieldsV1 writes them.
    package var paths: [[PathElement]] {
        nodes.sorted { $0.key < $1.key }.flatMap { element, node in
            (node.isMember ? [[element]] : []) + node.children.paths.map { [element] + $0 }
        }
    }

    /// Whether exactly this path is a member.
    package func contains(_ path: [PathElement]) -> Bool { contains(path[...]) }

    private func contains(_ path: ArraySlice<PathElement>) -> Bool {
        guard let first = path.first, let node = nodes[first] else { return false }
        return path.count == 1 ? node.isMember : node.children.contains(path.dropFirst())
    }

    /// Whether the one-step path is a member.
    func contains(_ element: PathElement) -> Bool { nodes[element]?.isMember ?? false }

    /// The members that begin with `element`, without it.
    package func below(_ element: PathElement) -> FieldSet { nodes[element]?.children ?? FieldSet() }

    /// Adds a path; the empty one is not added.
    package mutating func insert(_ path: [PathElement]) { insert(path[...]) }

    private mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        // In place, here and in `formUnion`: taking a node out and putting it back would copy all that is below it.
        if path.count == 1 {
            nodes[first, default: Node()].isMember = true
        } else {
            nodes[first, default: Node()].children.insert(path.dropFirst())
        }
    }

    /// Puts a place with all below it, in place of what was there; a place without members is taken out.
    mutating func set(_ element: PathElement, isMember: Bool, children: FieldSet) {
        let isNeeded = isMember || !children.isEmpty
        nodes[element] = isNeeded ? Node(isMember: isMember, children: children) : nil
    }
}

extension FieldSet {
    /// The members of either set.
    package func union(_ other: FieldSet) -> FieldSet {
        var result = self
        result.formUnion(other)
        return result
    }

    /// Adds the members of `other`.
    mutating func formUnion(_ other: FieldSet) {
        for (element, node) in other.nodes {
            if node.isMember { nodes[element, default: Node()].isMember = true }
            if !node.children.isEmpty { nodes[element, default: Node()].children.formUnion(node.children) }
        }
    }

    /// The members of both sets.
    package func intersection(_ other: FieldSet) -> FieldSet {
        var result = FieldSet()
        for (element, node) in nodes {
            guard let match = other.nodes[element] else { continue }
            result.set(
                element,
                isMember: node.isMember && match.isMember,
                children: node.children.intersection(match.children)
            )
        }
        return result
    }

    /// The members that are not exactly members of `other`; what is below such a member stays.
    package func subtracting(_ other: FieldSet) -> FieldSet {
        var result = self
        for (element, node) in other.nodes {
            guard let own = nodes[element] else { continue }
            result.set(
                element,
                isMember: own.isMember && !node.isMember,
                children: own.children.subtracting(node.children)
            )
        }
        return result
    }

    /// The members that are neither members of `other` nor below one.
    package func subtractingTrees(_ other: FieldSet) -> FieldSet {
        var result = self
        for (element, node) in other.nodes {
            guard let own = nodes[element] else { continue }
            let children = node.isMember ? FieldSet() : own.children.subtractingTrees(node.children)
            result.set(element, isMember: own.isMember && !node.isMember, children: children)
        }
        return result
    }
}
